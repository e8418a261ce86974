"""A break's fields side by side: A, B, proposed, raw texts, mapping steps, tolerances."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ingestion.mapping import FieldMapping, field_mappings
from ingestion.shape import Leaf, Shape
from ingestion.value_steps import ValueStep, value_steps
from reconciliation.engine.authority import authority_of
from reconciliation.engine.rules import CompareRule
from reconciliation.inputs import mapped_names, taken_by
from reconciliation.models import Break, Member, Run
from reconciliation.rules import Rules, proposed
from review.breaks.distance import Distance, distance_between, where_they_differ
from review.templatetags.tieout import valued

BRIEF = 16  # fields that a preview shows of a whole row


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
    mapped_a: "Mapped"
    mapped_b: "Mapped"
    proposed: str | None
    authority: str
    distance: Distance | None
    spots: str

    @property
    def longest(self) -> int:
        """The characters of the longer value."""
        return max(len(self.a or ""), len(self.b or ""))


@dataclass(frozen=True)
class Mapped:
    """How a side's column becomes the field: what its mapping does, and which of it changed this text."""

    does: str = ""
    version: int = 0
    column: str = ""
    steps: Sequence[ValueStep] = ()


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
    def first_set(self) -> list[Line]:
        """Of what a person may set, that which differs."""
        return [line for line in self.editable if line in self.differing]

    @property
    def also_set(self) -> list[Line]:
        """The rest of what a person may set."""
        return [line for line in self.editable if line not in self.differing]

    @property
    def brief(self) -> list[Line]:
        """The lines of a preview: those that differ, else the first few."""
        return self.differing or self.same[:BRIEF]

    @property
    def brief_title(self) -> str:
        """What a preview does not show; empty where that is nothing."""
        if self.differing:
            return f"{self.same_title}."
        more = len(self.same) - BRIEF
        return f"{more} more field{'' if more == 1 else 's'} on its page." if more > 0 else ""


def comparison(brk: Break, members: list[Member], wrong: Collection[str]) -> Comparison:
    """The comparison of a break's first rows; `wrong` are the names of the fields that differ."""
    shape, run = brk.reconciliation.record_type.shape(), brk.last_run
    rules = Rules(run.rule_set.document)
    first: dict[str, Member] = {m.side: m for m in sorted(members, key=lambda m: -m.position)}
    a, b = first.get("a"), first.get("b")
    sides = (mapped_names(run, "a", shape), mapped_names(run, "b", shape))
    record = proposed(shape, rules, a.record if a else None, b.record if b else None, *sides)
    differs = [leaf for leaf in shape.leaves if _name(leaf) in wrong or leaf.name in wrong]
    mappings = {side: _mappings(run, side, shape) for side in ("a", "b")}
    lines = {leaf: _line(leaf, a, b, mappings, record, rules, open_=leaf in differs) for leaf in shape.leaves}
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


def _mappings(run: Run, side: str, shape: Shape) -> dict[str, tuple[FieldMapping, int]]:
    """How a side's last delivery is read, and by which version of its mapping, by leaf."""
    given = [it for it in taken_by(run) if it.side == side]
    if not given:
        return {}
    mapping = given[-1].normalization.mapping
    paths = {leaf.path: leaf.name for leaf in shape.leaves}
    return {
        paths[path]: (it, mapping.version) for path, it in field_mappings(mapping.document).items() if path in paths
    }


def _mapped(known: Mapping[str, tuple[FieldMapping, int]], leaf: Leaf, member: Member | None, *, open_: bool) -> Mapped:
    """How a side's column became the field; step by step where the field is open and its text was changed."""
    if leaf.name not in known:
        return Mapped()
    mapping, version = known[leaf.name]
    raw = (member.raw or {}).get(leaf.name) if member is not None else None
    followed = open_ and raw is not None and member is not None and leaf.name not in member.flags
    steps = value_steps(mapping, raw, member.record.get(leaf.name)) if followed else ()  # type: ignore[union-attr, arg-type]
    return Mapped(mapping.shown(), version, mapping.column or "", steps)


def _line(
    leaf: Leaf,
    a: Member | None,
    b: Member | None,
    mappings: dict[str, dict[str, tuple[FieldMapping, int]]],
    record: Mapping[str, str | None],
    rules: Rules,
    *,
    open_: bool,
) -> Line:
    value_a, raw_a = _value(a, leaf)
    value_b, raw_b = _value(b, leaf)
    side = authority_of(leaf, rules.authority).upper()
    rule = CompareRule.from_document(rules.compare.get(_name(leaf), {}))
    flagged = any(member is not None and leaf.name in member.flags for member in (a, b))
    written = "text" if flagged else _kind(leaf)
    shown = (valued(value_a, written), valued(value_b, written))
    return Line(
        leaf.name, _kind(leaf), written, value_a, value_b, raw_a, raw_b,
        _mapped(mappings["a"], leaf, a, open_=open_), _mapped(mappings["b"], leaf, b, open_=open_),
        record.get(leaf.name), f"{side} is the authority",
        distance_between(leaf.kind, value_a, value_b, rule, rules.calendar) if open_ and not flagged else None,
        where_they_differ(*shown) if open_ and written == "text" else "",
    )  # fmt: skip


def _kind(leaf: Leaf) -> str:
    return f"decimal({leaf.digits}, {leaf.places})" if leaf.kind == "decimal" else leaf.kind


def _value(member: Member | None, leaf: Leaf) -> tuple[str | None, str | None]:
    """The shown value and the raw text beside it; a flagged value is shown raw."""
    if member is None:
        return None, None
    raw = (member.raw or {}).get(leaf.name)
    return (raw, None) if leaf.name in member.flags else (member.record.get(leaf.name), raw)
