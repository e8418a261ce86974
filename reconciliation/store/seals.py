"""The seal of a stored row: a digest of its hash and its technical columns, so that a change by hand does not fit.

DuckDB writes it and PostgreSQL checks it. It covers everything but `_id` and `_valid_to`; the latter has to be the next
version's `_valid_from`.
"""

import datetime as dt

from ingestion.sql_text import literal

MOMENT = "YYYY-MM-DD HH24:MI:SS.US"


def seal_sql(hash_: str, version: str, bucket: str, constants: "Constants") -> str:
    """DuckDB SQL of the seal; the arguments are SQL of the row's own values."""
    return f"('0x' || left(md5(concat_ws(chr(31), {hash_}, {version}, {bucket}, {constants.sql})), 15))::BIGINT"


class Constants:
    """What every row of a load has in common, as SQL; `decision` is SQL too, of a value that may be the row's own."""

    def __init__(self, run_id: int, decision: str, business_date: dt.date, moment: str) -> None:
        self.sql = f"{run_id}, {decision}, {literal(business_date.isoformat())}, {literal(moment)}"


def seal_postgres(alias: str) -> str:
    """PostgreSQL SQL of the seal that a row should have."""
    a = alias
    return (
        f"('x0' || left(md5(concat_ws(chr(31), {a}._hash, {a}._version, {a}._bucket, {a}._run, "
        f"coalesce({a}._decision::text, '-'), to_char({a}._date, 'YYYY-MM-DD'), "
        f"to_char({a}._valid_from AT TIME ZONE 'UTC', '{MOMENT}'))), 15))::bit(64)::bigint"
    )
