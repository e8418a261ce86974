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

BRIEF = 8  # fields that a preview shows of a whole row


@dataclass(frozen=True)
class Line:
    """One field of the comparison. `written` is the kind as which its values are shown: a flagged text is shown as it is,
    and then the other side too, so that what differs is seen."""

    name: str
    kind: str
    written: str
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
class Across:
    """One field over every row of a duplicate key."""

    name: str
    kind: str
    values: list[str | None]

    @property
    def differs(self) -> bool:
        """Whether the rows disagree."""
        return len(set(self.values)) > 1


@dataclass(frozen=True)
class Comparison:
    """The differing fields, those that agree, and those that a person may set."""

    kind: str
    differing: list[Line]
    same: list[Line]
    editable: list[Line]
    rows: list[Across]
    record: Mapping[str, str | None]

    @property
    def summary(self) -> str:
        """What the comparison is about, in a few words."""
        total, open_ = len(self.differing) + len(self.same), len(self.differing)
        if self.kind == Break.Kind.MISSING_IN_A:
            return "only B has this record"
        if self.kind == Break.Kind.MISSING_IN_B:
            return "only A has this record"
        verb = "fails a check" if self.kind == Break.Kind.GATE else "differs"
        plural = "fail a check" if self.kind == Break.Kind.GATE else "differ"
        return f"{open_} of {total} fields {verb if open_ == 1 else plural}"

    @property
    def same_title(self) -> str:
        """What the other fields have in common."""
        count = f"{len(self.same)} field{'' if len(self.same) == 1 else 's'}"
        if self.kind in (Break.Kind.MISSING_IN_A, Break.Kind.MISSING_IN_B):
            return f"{count} from one side"
        return f"{count} {'agrees' if len(self.same) == 1 else 'agree'}"

    @property
    def brief(self) -> list[Line]:
        """The lines of a preview: those that differ, else the first few."""
        return self.differing or self.same[:BRIEF]


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
        kind=brk.kind,
        differing=[lines[leaf] for leaf in differs],
        same=[line for leaf, line in lines.items() if leaf not in differs],
        editable=[lines[leaf] for leaf in shape.leaves if not leaf.key],
        rows=[Across(leaf.name, _kind(leaf), [_value(m, leaf)[0] for m in members]) for leaf in shape.leaves],
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
    flagged = any(member is not None and leaf.name in member.flags for member in (a, b))
    return Line(
        leaf.name, _kind(leaf), "text" if flagged else _kind(leaf), value_a, value_b, raw_a, raw_b, steps["a"].get(leaf.name, ""), steps["b"].get(leaf.name, ""),
        record.get(leaf.name), f"{side} is the authority", _distance(value_a, value_b, rule),
    )  # fmt: skip


def _kind(leaf: Leaf) -> str:
    return f"decimal({leaf.digits}, {leaf.places})" if leaf.kind == "decimal" else leaf.kind


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
