"""FieldProposal: a field with its mapping on both sides, its compare rule, and what speaks for and against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ingestion.suggest.pairs import Pair

Document = Mapping[str, object]


@dataclass(frozen=True)
class FieldProposal:
    """`type_`, `map_a`, `map_b` and `rule` are written as a definition writes them; `why` and `against` are sentences.

    `example`: what one key has on either side.
    """

    name: str
    pair: Pair
    type_: Document
    map_a: Document
    map_b: Document
    rule: Document = field(default_factory=dict)
    why: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    example: tuple[str, str] = ("", "")

    def said(self, *sentences: str) -> "FieldProposal":
        """With more evidence."""
        return replace(self, why=(*self.why, *(it for it in sentences if it)))


def count(n: int, of: int) -> str:
    """`1,005 of 2,410 rows`."""
    return f"{n:,} of {of:,} row{'' if of == 1 else 's'}"


def quoted(text: str | None, longest: int = 32) -> str:
    """A value as it is shown: quoted and cut, control marks as spaces."""
    if text is None or text == "":
        return "nothing"
    plain = "".join(mark if mark.isprintable() else " " for mark in text)
    return f'"{plain[: longest - 1]}…"' if len(plain) > longest else f'"{plain}"'
