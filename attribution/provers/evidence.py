"""What provers see, and what they say."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ingestion.exact import number
from ingestion.shape import Leaf
from reconciliation.engine.business_days import Calendar

UNKNOWN = "UNKNOWN"


@dataclass(slots=True)
class Difference:
    """One differing field: canonical texts (the raw text where flagged), raw texts, and both records."""

    field: str
    leaf: Leaf | None
    kind: str
    value_a: str | None
    value_b: str | None
    raw_a: str | None = None
    raw_b: str | None = None
    record_a: Mapping[str, str | None] = dataclasses.field(default_factory=dict)
    record_b: Mapping[str, str | None] = dataclasses.field(default_factory=dict)

    number_a: Decimal | None = dataclasses.field(init=False)
    number_b: Decimal | None = dataclasses.field(init=False)
    places: int = dataclasses.field(init=False)
    needs_a: int = dataclasses.field(init=False, default=0)
    needs_b: int = dataclasses.field(init=False, default=0)
    plain_a: str = dataclasses.field(init=False, default="")
    plain_b: str = dataclasses.field(init=False, default="")

    def __post_init__(self) -> None:
        """Both values as exact numbers, None where one is none, with the decimal places that each needs and its digits at the
        field's places."""
        kind = self.leaf.kind if self.leaf is not None else "text"
        is_number = kind in ("decimal", "integer")
        self.number_a = number(self.value_a) if is_number else None
        self.number_b = number(self.value_b) if is_number else None
        self.places = self.leaf.places if self.leaf is not None and kind == "decimal" else 0
        if self.number_a is not None and self.number_b is not None:
            self.needs_a, self.needs_b = _needed(self.value_a), _needed(self.value_b)
            self.plain_a, self.plain_b = (f"{it.copy_abs():.{self.places}f}" for it in (self.number_a, self.number_b))


def _needed(text: str | None) -> int:
    """The decimal places that a canonical number needs."""
    return len((text or "").rpartition(".")[2].rstrip("0")) if "." in (text or "") else 0


@dataclass(frozen=True)
class Setting:
    """What an admin changed of a prover for one reconciliation."""

    reason: str = ""
    confidence: Decimal | None = None
    active: bool = True


@dataclass(frozen=True)
class Context:
    """What holds for all differences of a run. `translations`: field to A's code to B's; `reasons`: code to functional."""

    decimals: Mapping[str, Leaf] = dataclasses.field(default_factory=dict)
    patterns: tuple[str, ...] = ()
    translations: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    calendar: Calendar = dataclasses.field(default_factory=Calendar)
    settings: Mapping[str, Setting] = dataclasses.field(default_factory=dict)
    reasons: Mapping[str, bool | None] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Candidate:
    """A reason with the evidence for it; `proof` when it reproduces B from A exactly."""

    prover: str
    reason: str
    functional: bool | None
    confidence: Decimal
    sentence: str
    proof: bool = True


def shown(value: Decimal) -> str:
    """A number as people read it, with a true minus sign."""
    return f"{value:,f}".replace("-", "\u2212")
