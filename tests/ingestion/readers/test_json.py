"""A JSON document goes the whole way, or is refused whole with the place of its fault."""

import json
from pathlib import Path

import pytest

from ingestion.deliveries import NeedsDecision
from ingestion.errors import UnreadableFile
from ingestion.framing import Located
from ingestion.models import QuarantinedRow
from ingestion.readers import json_stream, json_values
from tests.ingestion.readers.conftest import Payments, quarantined

RECORDS = [
    '{"id": "T1", "day": "2026-11-20", "amount": 10.00, "note": "one"}',
    '{"id": "T2", "day": "2026-11-21", "amount": -20.50, "note": "two"}',
    '{"id": "T3", "day": "2026-11-22", "amount": 0.10, "note": "Zoë"}',
]
LIST = "[" + ",\n ".join(RECORDS) + "]\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_encoding_gives_the_same(payments: Payments, encoding: str) -> None:
    payments.define()
    work = payments.deliver(LIST.encode(encoding))
    assert (work.received, work.normalized, work.format["type"]) == (3, 3, "json")
    assert payments.located(3) == Located(3, RECORDS[2])


def test_it_reconciles_as_csv_does(payments: Payments) -> None:
    payments.define()
    payments.deliver(LIST)
    assert payments.run()["records"]["matched"] == 3
    assert payments.received("T2") == ("A: line 2 received from Left", RECORDS[1])


def test_the_records_stand_at_a_path(payments: Payments) -> None:
    payments.define("{type: json, records: data.items}")
    work = payments.deliver(
        f'{{"page": {{"n": 1}}, "data": {{"count": 3, "items": {LIST}, "next": null}}, "end": [[], {{}}]}}'
    )
    assert work.normalized == 3


def test_a_path_that_was_found_is_asked_about(payments: Payments) -> None:
    payments.define()
    document = json.dumps({"errors": [], "result": {"rows": json.loads(LIST)}}, indent=1)
    with pytest.raises(NeedsDecision, match=r"write `records: result\.rows` in the format"):
        payments.deliver(document)
    assert payments.deliver(document, accept=True).normalized == 3


def test_a_path_through_lists_and_single_objects(payments: Payments) -> None:
    payments.define("{records: groups.rows}")
    work = payments.deliver(f'{{"groups": [{{"rows": {LIST}}}, {{"rows": {{"id": "T4"}}}}, {{"rows": null}}]}}')
    assert work.normalized == 4


def test_a_record_that_would_lose_a_value_is_kept_aside(payments: Payments) -> None:
    payments.define()
    work = payments.deliver(LIST.replace("-20.50", "NaN").replace('"note": "Zoë"', '"id": "T4"'))
    assert (work.received, work.normalized) == (3, 1)
    assert quarantined(work) == [
        (2, 2, "NaN is no number of JSON. Write null where there is no value."),
        (3, 3, "The key 'id' stands twice in one object, so one of its values would be lost."),
    ]
    assert work.quarantined_rows.first().raw == RECORDS[1].replace("-20.50", "NaN")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (LIST[:-20], "The JSON ends in the value that begins on line 3. The file was cut"),
        (LIST.rstrip()[:-1], "The JSON ends on line 3 before it is complete"),
        (LIST.replace("two", 'tw"o'), "Line 2 is no JSON: Expecting ',' delimiter at character"),
        (LIST.replace("},\n", "}\n", 1), "Line 2 is no JSON: ',' or ']' was expected, but '{' stands there"),
        (LIST.replace('"T2"', "[" * 100_000), "The record on line 2 is nested too deeply"),
        (LIST + "{}", "more text after the end of the JSON on line 4"),
        (LIST.encode().replace("Zoë".encode(), b"Zo\xeb"), "the bytes are no utf-8"),
        ('{"a": 1,\n "b": {"c": 2}}', "one object and holds no list of records"),
    ],
)  # fmt: skip
def test_a_broken_document_is_refused_whole(payments: Payments, content: str | bytes, says: str) -> None:
    payments.define("{type: json}")
    with pytest.raises(UnreadableFile) as caught:
        payments.deliver(content)
    assert says in str(caught.value)
    assert not QuarantinedRow.objects.exists()


def test_a_wrong_path_names_the_nearest_one(payments: Payments) -> None:
    payments.define("{type: json, records: data.item}")
    with pytest.raises(UnreadableFile, match=r"no 'data.item', which `records:` names; did you mean 'items'\?$"):
        payments.deliver(f'{{"data": {{"items": {LIST}}}}}')


def test_an_empty_list_is_a_delivery_of_nothing(payments: Payments) -> None:
    payments.define("{type: json}")
    work = payments.deliver("[]")
    assert (work.received, work.notes) == (0, ["The file holds no record."])
    assert payments.run()["records"]["missing_in_a"] == 3


def test_a_value_that_would_fill_the_memory_is_refused(payments: Payments, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_values, "MOST_COMMAS", 10_000)
    payments.define("{type: json}")
    with pytest.raises(
        UnreadableFile, match="begins on line 2 is longer than 67,108,864 characters, or holds more than"
    ):
        payments.deliver('[{"id": "T1"},\n{"a": [' + "1," * 200_000)


def test_names_that_are_values_are_refused(payments: Payments, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.readers.reader.MOST_COLUMNS", 50)
    payments.define()
    with pytest.raises(UnreadableFile, match="more than 50 different columns, as if names were values"):
        payments.deliver(json.dumps([{f"T{n}": 1} for n in range(60)]))


def test_content_that_is_another_type_is_said(payments: Payments) -> None:
    payments.define("{type: json}")
    with pytest.raises(UnreadableFile, match="The format says `type: json`, but the content looks like xml"):
        payments.deliver("<a><b/></a>")


def test_a_value_over_many_blocks_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "BLOCK", 7)
    path = tmp_path / "long.json"
    path.write_text('[ {"a": "' + "ä\\n" * 500 + '", "n": 12345.670},\n\n {"a": tr' + "ue} ]", encoding="utf-8")
    with path.open(encoding="utf-8") as file:
        found = list(json_stream.elements(json_stream.Stream(file), ()))
    assert [element.line for element in found] == [1, 3]
    assert found[0].value == {"a": "ä\n" * 500, "n": "12345.670"} and found[1].value == {"a": True}
