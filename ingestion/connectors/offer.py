"""What every connector is: it names what is there, and fetches one of it."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ingestion.errors import IngestionError


class PullError(IngestionError):
    """The other side cannot be read; the sentence says where and what to do."""


@dataclass(frozen=True)
class Offer:
    """Something that the other side holds ready.

    `mark` changes when its bytes do. `date` is the business date where the place says it. `settled`: it can no longer be
    half-written, so it needs no second look.
    """

    name: str
    mark: str
    date: dt.date | None = None
    settled: bool = False


class Connector(Protocol):
    """A kind of source. Each method raises PullError."""

    def offers(self) -> Iterator[Offer]:
        """What is there now, in the order of the names."""

    def fetch(self, offer: Offer, target: Path) -> str | None:
        """Write its bytes to `target`; gives the mark reached, None when there is nothing new.

        PullError when the bytes are no longer those of its mark.
        """
