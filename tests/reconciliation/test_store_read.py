"""Reading the store: current rows and versions by key, through indexes, and models that cannot write."""

import pytest

from ingestion.models import RecordType
from reconciliation.store.current import current_rows, stored_versions
from reconciliation.store.ddl import ensure_tables
from reconciliation.store.rows import ReadOnly, stored_model
from reconciliation.store.wanted import key_parts
from tests.reconciliation.store_records import delivered, record_type, relation, rows, store, trade, trades

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> RecordType:
    made = trades()
    ensure_tables(made)
    return made


def test_a_key_opens_into_the_texts_that_it_was_made_of() -> None:
    assert key_parts("a\\|b", 1) == ["a\\|b"]
    assert key_parts("a|b", 2) == ["a", "b"]
    assert key_parts("a\\|b|c\\\\", 2) == ["a|b", "c\\"]
    assert key_parts("\n|", 2) == ["\n", ""]


@pytest.mark.parametrize("key", ["T-1", "a|b", "back\\slash", "\\|", "two\nlines", "%s", "'", "日本"])
def test_a_record_is_found_again_by_its_key_with_its_references_open(made: RecordType, key: str) -> None:
    given = trade(key, amount="12.50")
    store(made, given, trade("other"))
    shape = made.shape()
    with relation(made, [given]) as duck:
        assert current_rows(duck, "given", shape, made, "found") == 1
        leaves = ", ".join(leaf.column for leaf in shape.leaves)
        same = f"SELECT key, bucket, hash, {leaves} FROM"
        assert duck.execute(f"{same} found").fetchall() == duck.execute(f"{same} given").fetchall()
        assert [row[0] for row in duck.execute("DESCRIBE found").fetchall()][:7] == [
            "key", "bucket", "_id", "_run", "_decision", "_date", "hash",
        ]  # fmt: skip


def test_unknown_keys_and_an_empty_store_give_no_rows(made: RecordType) -> None:
    with relation(made, [trade("nobody")]) as duck:
        assert current_rows(duck, "given", made.shape(), made, "found") == 0
        store(made, trade())
        assert current_rows(duck, "given", made.shape(), made, "found") == 0
        assert duck.execute("SELECT count(*) FROM found").fetchall() == [(0,)]


def test_versions_show_the_references_as_they_were(made: RecordType) -> None:
    store(made, trade(amount="1.00"), run=1)
    store(made, trade(amount="2.00", counterparty__country="FR"), run=2)
    first, second = stored_versions(made, "T-1")
    assert (first["counterparty.country"], second["counterparty.country"]) == ("DE", "FR")
    assert (first["_run"], second["_run"], second["_valid_to"]) == (1, 2, None)


def test_a_text_that_is_no_key_has_no_versions() -> None:
    made = delivered(
        record_type("booking", day={"kind": "date", "is_key": True}, number={"kind": "integer", "is_key": True})
    )
    ensure_tables(made)
    store(made, {"day": "2026-11-20", "number": "7"})
    assert len(stored_versions(made, "2026-11-20|7")) == 1
    for text in (
        "",
        "x",
        "2026-11-20",
        "2026-13-99|7",
        "2026-11-20|seven",
        "a|b|c",
        "2026-11-20|99999999999999999999",
        "\x00|1",
    ):
        assert stored_versions(made, text) == []


def test_one_key_is_found_by_its_index(made: RecordType) -> None:
    store(made, *(trade(f"T-{n}") for n in range(3000)))
    before = _scans()
    stored_versions(made, "T-77")
    assert _scans() == before


def _scans() -> int:
    ((scans,),) = rows("SELECT pg_stat_get_xact_numscans('store.trade'::regclass)")
    return scans


def test_models_read_the_definition_and_follow_references(made: RecordType) -> None:
    store(made, trade(amount="12.50"))
    model = stored_model(made.pk, made.schema_version)
    names = {field.code: f"f{field.pk}" for field in made.current_fields()}
    key = f"f{made.current_fields().get(code='counterparty').refers_to.current_fields().get(code='name').pk}"  # type: ignore[union-attr]
    row = model.objects.select_related(names["counterparty"]).get(**{f"{names['counterparty']}__{key}": "ACME"})
    assert str(getattr(row, names["amount"])) == "12.50"
    assert getattr(getattr(row, names["counterparty"]), key) == "ACME"
    assert (row.run, row.version, row.valid_to) == (1, 1, None)
    assert stored_model(made.pk, made.schema_version) is model


def test_models_never_write(made: RecordType) -> None:
    store(made, trade())
    row = stored_model(made.pk, made.schema_version).objects.get()
    with pytest.raises(ReadOnly):
        row.save()
    with pytest.raises(ReadOnly):
        row.delete()
