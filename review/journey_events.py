"""One step of a journey."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """A name with what stood there before and after; `how` is the step between them. Null is an empty field."""

    name: str
    before: str | None
    after: str | None
    how: str = ""


@dataclass(frozen=True)
class Event:
    """One step: when, what, by whom or which version, the raw lines and values that show it.

    `what` and `about` name the step and the rows that it is of (`decided`, `12`), so that it has an address. `hash` is the digest of
    `hash_of`: the delivered bytes, the stored record. `heads` are the titles of the columns of `changes`.
    """

    at: dt.datetime
    glyph: str
    title: str
    detail: str = ""
    who: str = ""
    lines: tuple[str, ...] = ()
    url: str = ""
    what: str = ""
    about: str = ""
    tone: str = ""
    changes: Sequence[Change] = ()
    heads: tuple[str, str, str] = ("Field", "Before", "After")
    hash: str = ""
    hash_of: str = ""

    @property
    def name(self) -> str:
        """Its name within the journey, for links: `decided-12`."""
        return f"{self.what}-{self.about}" if self.about else self.what

    @property
    def side(self) -> str:
        """The side that it is of, as the title begins; empty for both."""
        return self.title[0] if self.title[:3] in ("A: ", "B: ") else ""

    @property
    def heading(self) -> str:
        """The title, without its side where it has one."""
        return self.title[3:4].upper() + self.title[4:] if self.side else self.title

    @property
    def has_steps(self) -> bool:
        """Whether a change says how."""
        return any(it.how for it in self.changes)
