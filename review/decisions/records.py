"""The record that a decision would store, and what the gate holds against it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from ingestion.prepared import PK, prepared
from ingestion.shape import Leaf, Shape
from ingestion.suggestion import nearest_end
from reconciliation.gate import Condition
from reconciliation.inputs import mapped_names
from reconciliation.models import Break, Member
from reconciliation.rechecks import failed_checks
from reconciliation.rules import Rules, proposed
from reconciliation.values import BadValue, canonical_value
from review.decisions.refusals import DecisionRefused

Rows = Mapping[str, Member]


def first_rows(brk: Break) -> Rows:
    """The first row that stands on each side."""
    return {row.side: row for row in prepared("first rows", _standing, {PK: brk.pk})}


def _standing() -> QuerySet[Member]:
    return Member.objects.filter(brk=PK, current=True).order_by("-position")


def proposed_record(brk: Break, rows: Rows) -> dict[str, str | None]:
    """The record that an approval would store."""
    return _proposed(brk, {side: row.record for side, row in rows.items()})


def record_of(brk: Break, rows: Rows, values: Mapping[str, str | None], member: Member | None) -> dict[str, str | None]:
    """The record that the decision would store: the proposed one, or the named row, with the values that were given."""
    record = dict(member.record) if member is not None else proposed_record(brk, rows)
    for leaf, text in given_leaves(brk.reconciliation.record_type.shape(), values):
        try:
            record[leaf.name] = canonical_value(leaf, text)
        except BadValue as error:
            raise DecisionRefused(f"{leaf.name}: {error}") from None
    return record


def given_leaves(shape: Shape, values: Mapping[str, str | None]) -> Iterator[tuple[Leaf, str | None]]:
    """Each field that is given a value; DecisionRefused for one that there is not, the key, and one under both of its names."""
    seen: set[Leaf] = set()
    for name, text in values.items():
        try:
            leaf = shape.leaf(name)
        except KeyError:
            known = [leaf.name for leaf in shape.leaves if not leaf.key]
            raise DecisionRefused(f"The record has no field {name[:83]!r}{nearest_end(name, known)}") from None
        if leaf.key:
            raise DecisionRefused(f"{leaf.name} is the key; it cannot be changed.")
        if leaf in seen:
            raise DecisionRefused(f"{leaf.name} is given twice, as {leaf.name} and as {leaf.path}. Give it once.")
        seen.add(leaf)
        yield leaf, text


def _proposed(brk: Break, sides: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Of each leaf, the value of the side that the proposed record takes it from."""
    run, shape = brk.last_run, brk.reconciliation.record_type.shape()
    mapped = (mapped_names(run, "a", shape), mapped_names(run, "b", shape))
    return proposed(shape, Rules(run.rule_set.document), sides.get("a"), sides.get("b"), *mapped)


def flagged_in(
    brk: Break, rows: Rows, record: Mapping[str, str | None], values: Mapping[str, str | None], member: Member | None
) -> list[Condition]:
    """What a record would leave empty because the delivered value does not fit its field, and nobody gave another."""
    of = {"a": member} if member is not None else rows
    texts = _proposed(brk, {side: {name: row.raw.get(name, "") for name in row.flags} for side, row in of.items()})
    given = {brk.reconciliation.record_type.shape().leaf(name).name for name in values}
    return flagged_conditions(texts, record, given)


def flagged_conditions(
    texts: Mapping[str, Any], record: Mapping[str, str | None], given: Collection[str]
) -> list[Condition]:
    """A condition for each delivered text, by leaf, that the record leaves empty and that nobody gave another value for."""
    return [
        Condition(f"flagged:{name}", f"{name} {text} does not fit its field.", holds=False)
        for name, text in texts.items()
        if text is not None and record.get(name) is None and name not in given
    ]


def check_record(brk: Break, record: Mapping[str, str | None], flagged: list[Condition]) -> None:
    """DecisionRefused with what the gate holds against a break's record, but for what a Manager let be."""
    if failed := [*flagged, *failed_checks(brk, record)]:
        waived = brk.waivers.filter(fingerprint=brk.fingerprint).values_list("condition", flat=True)
        check_held(failed, set(waived))


def check_held(conditions: Sequence[Condition], waived: Collection[str]) -> None:
    """DecisionRefused with what the gate holds against a record, but for what a Manager let be."""
    failed = [it for it in conditions if it.code not in waived]
    if failed:
        sentences = " ".join(it.sentence for it in failed)
        waivable = ", or let a Manager waive the check" if any(it.code.startswith("check:") for it in failed) else ""
        raise DecisionRefused(f"Held by the gate. {sentences} Override the value{waivable}.")
