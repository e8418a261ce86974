"""A break's fields side by side: A, B, proposed, raw texts, mapping steps, tolerances."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from ingestion.mapping import FieldMapping
from ingestion.shape import Leaf, Shape
from reconciliation.engine.authority import authority_of
from reconciliation.engine.rules import CompareRule
from reconciliation.inputs import mapped_names
from reconciliation.models import Break, Member
from reconciliation.rules import Rules, proposed


@dataclass(frozen=True)
class Line:
    """One field of the comparison."""

    name: str
    kind: str
    a: str | None
    b: str | None
    raw_a: str | None
    raw_b: str | None
    step_a: str
    step_b: str
    proposed: str | None
    authority: str
    distance: str


@dataclass(frozen=True)
class Comparison:
    """The differing fields, those that agree, and those that a person may set."""

    differing: list[Line]
    same: list[Line]
    editable: list[Line]
    record: Mapping[str, str | None]

    @property
    def total(self) -> int:
        """Fields in all."""
        return len(self.differing) + len(self.same)


def comparison(brk: Break, members: list[Member], wrong: Collection[str]) -> Comparison:
    """The comparison of a break's first rows; `wrong` are the names of the fields that differ."""
    shape, run = brk.reconciliation.record_type.shape(), brk.last_run
    rules = Rules(run.rule_set.document)
    first: dict[str, Member] = {m.side: m for m in sorted(members, key=lambda m: -m.position)}
    a, b = first.get("a"), first.get("b")
    sides = (mapped_names(run, "a", shape), mapped_names(run, "b", shape))
    record = proposed(shape, rules, a.record if a else None, b.record if b else None, *sides)
    steps = {side: _steps(run, side, shape) for side in ("a", "b")}
    lines = {leaf: _line(leaf, a, b, steps, record, rules) for leaf in shape.leaves}
    differs = [leaf for leaf in shape.leaves if _name(leaf) in wrong or leaf.name in wrong]
    return Comparison(
        differing=[lines[leaf] for leaf in differs],
        same=[line for leaf, line in lines.items() if leaf not in differs],
        editable=[lines[leaf] for leaf in shape.leaves if not leaf.key],
        record=record,
    )


def _name(leaf: Leaf) -> str:
    return leaf.reference if leaf.reference and leaf.reference_key else leaf.name


def _steps(run: object, side: str, shape: Shape) -> dict[str, str]:
    given = [i for i in run.inputs.all() if i.side == side]  # type: ignore[attr-defined]
    if not given:
        return {}
    mapping = given[-1].normalization.mapping
    paths = {leaf.path: leaf.name for leaf in shape.leaves}
    return {
        paths[path]: f"{FieldMapping.from_document(path, document).shown()}, mapping {mapping.version}"
        for path, document in mapping.document.items()
        if path in paths
    }


def _line(
    leaf: Leaf,
    a: Member | None,
    b: Member | None,
    steps: dict[str, dict[str, str]],
    record: Mapping[str, str | None],
    rules: Rules,
) -> Line:
    value_a, raw_a = _value(a, leaf)
    value_b, raw_b = _value(b, leaf)
    side = authority_of(leaf, rules.authority).upper()
    rule = CompareRule.from_document(rules.compare.get(_name(leaf), {}))
    kind = f"decimal({leaf.digits}, {leaf.places})" if leaf.kind == "decimal" else leaf.kind
    return Line(
        leaf.name, kind, value_a, value_b, raw_a, raw_b, steps["a"].get(leaf.name, ""), steps["b"].get(leaf.name, ""),
        record.get(leaf.name), f"{side} is the authority", _distance(value_a, value_b, rule),
    )  # fmt: skip


def _value(member: Member | None, leaf: Leaf) -> tuple[str | None, str | None]:
    """The shown value and the raw text beside it; a flagged value is shown raw."""
    if member is None:
        return None, None
    raw = (member.raw or {}).get(leaf.name)
    return (raw, None) if leaf.name in member.flags else (member.record.get(leaf.name), raw)


def _distance(a: str | None, b: str | None, rule: CompareRule) -> str:
    try:
        apart = abs(Decimal(a or "") - Decimal(b or ""))
    except InvalidOperation:
        return ""
    allowed = rule.absolute + rule.share * abs(Decimal(b or 0))
    return f"{apart:,f} apart, {allowed.normalize():,f} allowed"
