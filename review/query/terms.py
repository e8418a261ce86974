"""What a query is made of."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

Value = str | int | Decimal | dt.date | dt.timedelta
IS, RANGE = ":", ".."
COMPARED = (">=", "<=", ">", "<")


class BadQuery(ValueError):
    """A query that cannot be; the text names the place and the remedy."""


@dataclass(frozen=True)
class Term:
    """A word of the vocabulary, and what it is compared with: any of some values, one limit, or both ends of a range.

    `texts` are the values as they were written, `values` as they are compared.
    """

    word: str
    op: str
    values: tuple[Value, ...]
    texts: tuple[str, ...]
    negated: bool = False

    @property
    def text(self) -> str:
        """The term as it is written in the box."""
        sign = "-" if self.negated else ""
        if self.op == RANGE:
            return f"{sign}{self.word}:{quoted(self.texts[0])}..{quoted(self.texts[1])}"
        return f"{sign}{self.word}{self.op}{','.join(map(quoted, self.texts))}"

    @property
    def only(self) -> str:
        """The one value that it asks for; empty where it asks otherwise."""
        return self.texts[0] if self.op == IS and len(self.texts) == 1 and not self.negated else ""

    def allows(self, value: str) -> bool:
        """Whether a value is among its values, or for a negated term is not; of terms that ask by values alone."""
        return (value in self.values) is not self.negated


def quoted(text: str) -> str:
    """A value as it has to be written: in quotes where it holds a blank, a quote, a comma, two full stops, or begins as a sign does."""
    plain = text and not any(it.isspace() or it in '",' for it in text) and ".." not in text and text[0] not in "-><=:"
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
