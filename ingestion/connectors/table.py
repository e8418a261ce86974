"""Table: the rows of a SQL query on a data mart, read in one read-only transaction, exact to the last digit."""

import csv
import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError

from ingestion.connectors.credentials import secret
from ingestion.connectors.offer import Offer, PullError

ROWS = 10_000  # fetched at a time
SECONDS = 600  # for the whole statement
BEGINNING = "the beginning"


class Table:
    """The rows of a source's query. `since` is the high-water mark of what was taken before."""

    def __init__(self, connection: Mapping[str, object], since: str | None = None) -> None:
        self.url = secret(connection.get("url"))
        self.query = str(connection.get("query", ""))
        self.high_water = str(connection.get("high_water") or "")
        self.seconds = int(str(connection.get("timeout") or SECONDS))
        self.since = since or None

    def offers(self) -> Iterator[Offer]:
        """What the query gives now."""
        since = f" since {self.since or BEGINNING}" if self.high_water else ""
        yield Offer(f"query{since}", self.since or "", settled=True)

    def fetch(self, offer: Offer, target: Path) -> str | None:
        """Write the rows as CSV. Gives the high-water mark reached; None when nothing is new."""
        engine = self._engine()
        try:
            with engine.connect() as opened, target.open("w", encoding="utf-8", newline="") as file:
                return self._write(self._rows(opened), csv.writer(file, lineterminator="\n"))
        except SQLAlchemyError as error:
            raise PullError(f"The query cannot be read: {self._plain(error)}") from None
        finally:
            engine.dispose()

    def _engine(self) -> sqlalchemy.Engine:
        try:
            return sqlalchemy.create_engine(self.url, poolclass=sqlalchemy.NullPool)
        except (SQLAlchemyError, ImportError, ValueError) as error:
            raise PullError(f"The address of the data mart cannot be used: {self._plain(error)}") from None

    def _rows(self, opened: sqlalchemy.Connection) -> sqlalchemy.CursorResult[tuple[object, ...]]:
        reading = opened.execution_options(isolation_level="REPEATABLE READ")
        if opened.dialect.name == "postgresql":
            reading = reading.execution_options(postgresql_readonly=True)
            reading.execute(sqlalchemy.text(f"SET LOCAL statement_timeout = {self.seconds * 1000}"))
        query = sqlalchemy.text(self.query)
        given = {"since": self.since} if ":since" in self.query else {}
        return reading.execute(query, given, execution_options={"stream_results": True, "yield_per": ROWS})

    def _write(self, rows: sqlalchemy.CursorResult[tuple[object, ...]], out: "csv.Writer") -> str | None:  # type: ignore[name-defined]
        names = list(rows.keys())
        if self.high_water and self.high_water not in names:
            raise PullError(
                f"The query gives no column {self.high_water!r}, which is the high-water mark of this source."
            )
        place = names.index(self.high_water) if self.high_water else None
        out.writerow(names)
        reached: Any = None
        count = 0
        for block in rows.partitions():
            out.writerows([_text(value) for value in row] for row in block)
            count += len(block)
            if place is not None:
                marks = [row[place] for row in block if row[place] is not None]
                reached = max([*marks, *([] if reached is None else [reached])], default=None)
        if place is None:
            return self.since or ""
        return None if not count else (_text(reached) or self.since or "")

    def _plain(self, error: Exception) -> str:
        text = " ".join(str(getattr(error, "orig", None) or error).split())[:300]
        password = sqlalchemy.make_url(self.url).password if "://" in self.url else ""
        return text.replace(str(password), "***") if password else text


def _text(value: object) -> str:
    """A value as delivered text: plain decimals, ISO dates and times, empty for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return str(value)
