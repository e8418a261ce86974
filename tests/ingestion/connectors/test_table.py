"""Rows of a query on a data mart, which is PostgreSQL here."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy
from django.conf import settings as configured
from django.db import connection

from ingestion import lake
from ingestion.connectors.offer import PullError
from ingestion.deliveries import normalize_delivery, plan_normalization
from ingestion.errors import MissingColumn
from ingestion.models import MappingProposal, QuarantinedRow, Source
from ingestion.pull import pull
from tests.conftest import DEFINITION

ALL = "SELECT * FROM mart_trade ORDER BY id"
SINCE = (
    "SELECT id, day, party, country, amount, currency, changed_at FROM mart_trade "
    "WHERE CAST(:since AS timestamptz) IS NULL OR changed_at > CAST(:since AS timestamptz) ORDER BY id"
)


def _address() -> str:
    at = connection.settings_dict
    return f"postgresql+psycopg://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


@pytest.fixture
def mart(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlalchemy.Engine]:
    """A table that another system committed."""
    monkeypatch.setenv("TIEOUT_MART", _address())
    engine = sqlalchemy.create_engine(_address(), poolclass=sqlalchemy.NullPool)
    with engine.begin() as opened:
        opened.execute(sqlalchemy.text("DROP TABLE IF EXISTS mart_trade"))
        opened.execute(
            sqlalchemy.text(
                "CREATE TABLE mart_trade (id text, day date, party text, country text, amount numeric, currency text, "
                "changed_at timestamptz)"
            )
        )
    _add(engine, "A", "12345678901234567.89")
    yield engine
    with engine.begin() as opened:
        opened.execute(sqlalchemy.text("DROP TABLE mart_trade"))


def _add(engine: sqlalchemy.Engine, key: str, amount: str) -> None:
    with engine.begin() as opened:
        opened.execute(
            sqlalchemy.text(
                "INSERT INTO mart_trade VALUES (:id, '2026-11-20', 'Acme', NULL, CAST(:amount AS numeric), 'EUR', clock_timestamp())"
            ),
            {"id": key, "amount": amount},
        )


def _source(define: Callable[[str], object], query: str, more: str = "") -> Source:
    table = (
        f"  left:\n    kind: table\n    connection:\n      url: {{env: TIEOUT_MART}}\n      query: {query!r}\n{more}"
    )
    define(DEFINITION.replace("  left:\n", table))
    return Source.objects.get(code="left")


def _text(source: Source) -> str:
    return lake.local(source.deliveries.latest("id").path).read_text()


def test_decimals_and_nulls_arrive_exactly(define: Callable[[str], object], mart: sqlalchemy.Engine) -> None:
    source = _source(define, ALL)
    assert len(pull(source).taken) == 1
    assert _text(source).splitlines()[1].startswith("A,2026-11-20,Acme,,12345678901234567.89,EUR,")
    pull(source)
    assert source.deliveries.count() == 1  # the same rows are the same delivery


def test_increments_start_at_the_high_water_mark(define: Callable[[str], object], mart: sqlalchemy.Engine) -> None:
    source = _source(define, SINCE, "      high_water: changed_at\n")
    pull(source)
    assert pull(source).taken == {}
    _add(mart, "B", "1")
    pull(source)
    assert [line.split(",")[0] for line in _text(source).splitlines()] == ["id", "B"]
    assert pull(source).taken == {}


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("SELECT nothing FROM mart_trade", 'column "nothing" does not exist'),
        ("WITH gone AS (DELETE FROM mart_trade RETURNING *) SELECT * FROM gone", "must not contain data-modifying"),
    ],
)
def test_what_the_mart_refuses_is_said(
    define: Callable[[str], object], mart: sqlalchemy.Engine, query: str, sentence: str
) -> None:
    source = _source(define, query)
    assert sentence in next(iter(pull(source).failed.values()))


def test_a_column_that_the_mart_renamed_stops_before_anything_is_stored(
    define: Callable[[str], object], mart: sqlalchemy.Engine
) -> None:
    source = _source(define, ALL)
    normalize_delivery(plan_normalization(next(iter(pull(source).taken.values()))))
    with mart.begin() as opened:
        opened.execute(sqlalchemy.text("ALTER TABLE mart_trade RENAME amount TO amt"))
    with pytest.raises(MissingColumn, match="no column 'amount'"):
        normalize_delivery(plan_normalization(next(iter(pull(source).taken.values()))))
    assert MappingProposal.objects.get().document["amount"]["column"] == "amt"
    assert QuarantinedRow.objects.count() == 0


def test_a_password_is_never_said(
    define: Callable[[str], object], mart: sqlalchemy.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIEOUT_MART", "postgresql+psycopg://app:s3cret@127.0.0.1:9/none")
    source = _source(define, ALL)
    said = next(iter(pull(source).failed.values()))
    assert "s3cret" not in said
    assert "cannot be read" in said
    monkeypatch.delenv("TIEOUT_MART")
    with pytest.raises(PullError, match="TIEOUT_MART is not set"):
        pull(source)


def test_a_slow_query_is_stopped(define: Callable[[str], object], mart: sqlalchemy.Engine) -> None:
    source = _source(define, "SELECT pg_sleep(30)::text AS id", "      timeout: 1\n")
    assert "statement timeout" in next(iter(pull(source).failed.values()))


def test_definitions_name_credentials_and_never_hold_them(
    define: Callable[[str], object], mart: sqlalchemy.Engine
) -> None:
    assert configured.SECRET_KEY
    with pytest.raises(Exception, match="a credential is the name of a variable"):
        define(
            DEFINITION.replace(
                "  left:\n",
                "  left:\n    kind: table\n    connection: {url: 'postgresql://u:p@h/d', query: 'SELECT 1'}\n",
            )
        )
    with pytest.raises(Exception, match="a credential is the name of a variable"):
        define(
            DEFINITION.replace(
                "  left:\n", "  left:\n    kind: table\n    connection: {url: {env: SECRET_KEY}, query: 'SELECT 1'}\n"
            )
        )
