"""The rules of a frozen RuleSet as pure values."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from ingestion.shape import Shape
from reconciliation.due_times import DueRule
from reconciliation.engine.authority import proposed_side
from reconciliation.engine.business_days import Calendar

DEFAULT_CONFIDENCE = Decimal("0.90")


@dataclass(frozen=True)
class Check:
    """One record check of the gate. `code` names it in refusals and waivers."""

    field: str
    rule: str
    arguments: Mapping[str, object]
    number: int = 1  # of its kind on its field

    @property
    def code(self) -> str:
        """Such as `check:amount:between`; the second of a kind on a field ends in `:2`."""
        return f"check:{self.field}:{self.rule}" + (f":{self.number}" if self.number > 1 else "")


@dataclass(frozen=True)
class GateRules:
    """What the gate asks for. Limits are per currency; `*` stands for any other."""

    confidence: Decimal = DEFAULT_CONFIDENCE
    checks: tuple[Check, ...] = ()
    max_auto_amount: Mapping[str, Decimal] = field(default_factory=dict)
    max_auto_difference: Mapping[str, Decimal] = field(default_factory=dict)
    amount_field: str = "amount"
    currency_field: str = "currency"
    budget: str = ""
    audit_rate: Decimal = Decimal("0.10")  # of what passes without a person, this share is audited
    audit_floor: int = 12  # and of each run at least so many: some 250 in a window of 30 days

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> "GateRules":
        """From the definition's `gate`."""
        return cls(
            confidence=Decimal(str(document.get("confidence", DEFAULT_CONFIDENCE))),
            checks=tuple(_checks(document.get("checks") or [])),  # type: ignore[arg-type]
            max_auto_amount=_limits(document.get("max_auto_amount")),
            max_auto_difference=_limits(document.get("max_auto_difference")),
            amount_field=str(document.get("amount_field", "amount")),
            currency_field=str(document.get("currency_field", "currency")),
            budget=str(document.get("budget") or "").replace("none", ""),
            audit_rate=Decimal(str(document.get("audit_rate", cls.audit_rate))),
            audit_floor=int(str(document.get("audit_floor", cls.audit_floor))),
        )


def _checks(given: Iterable[Mapping[str, object]]) -> Iterator[Check]:
    seen: Counter[tuple[object, object]] = Counter()
    for one in given:
        seen[mark := (one["field"], one["rule"])] += 1
        arguments = {key: value for key, value in one.items() if key not in ("field", "rule")}
        yield Check(str(one["field"]), str(one["rule"]), arguments, seen[mark])


def _limits(given: object) -> dict[str, Decimal]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {str(currency): Decimal(str(limit)) for currency, limit in given.items()}
    return {"*": Decimal(str(given))}


@dataclass(frozen=True)
class Rules:
    """A RuleSet's document, read."""

    document: Mapping[str, object]

    @cached_property
    def gate(self) -> GateRules:
        """The gate's rules."""
        return GateRules.from_document(self.document.get("gate") or {})  # type: ignore[arg-type]

    @property
    def one_sided(self) -> str:
        """Which side's lonely records are breaks: both, a or b."""
        match = self.document.get("match") or {}
        return str(match.get("one_sided", "both"))  # type: ignore[attr-defined]

    @property
    def wait(self) -> int:
        """Business days for which a one-sided record waits for its partner before people are shown it."""
        match = self.document.get("match") or {}
        return int(match.get("wait", 0))  # type: ignore[attr-defined]

    @property
    def compare(self) -> Mapping[str, Mapping[str, object]]:
        """Compare rules by field name."""
        return self.document.get("compare") or {}  # type: ignore[return-value]

    @property
    def authority(self) -> Mapping[str, str]:
        """Whose value stands, by field name, where it is not A's."""
        return self.document.get("authority") or {}  # type: ignore[return-value]

    @property
    def sla(self) -> tuple[DueRule, ...]:
        """Until when people have to have decided, the first rule that is about a break."""
        given: Any = self.document.get("sla") or []
        return tuple(DueRule(**{**it, "over": _limits(it.get("over"))}) for it in given)

    @property
    def calendar(self) -> Calendar:
        """The business days."""
        given: Any = self.document.get("calendar") or {"weekend": [6, 7], "holidays": []}
        return Calendar(frozenset(given["weekend"]), frozenset(map(dt.date.fromisoformat, given["holidays"])))


def proposed(
    shape: Shape,
    rules: Rules,
    a: Mapping[str, str | None] | None,
    b: Mapping[str, str | None] | None,
    mapped_a: frozenset[str],
    mapped_b: frozenset[str],
) -> dict[str, str | None]:
    """The proposed record: the authority's value for each leaf, the side that is there for a one-sided record."""
    if a is None or b is None:
        return dict((a if a is not None else b) or {})
    sides = {"a": a, "b": b}
    return {
        leaf.name: sides[proposed_side(leaf, rules.authority, mapped_a, mapped_b)].get(leaf.name)
        for leaf in shape.leaves
    }
