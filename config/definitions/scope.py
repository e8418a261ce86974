"""The scope of a definition: the field by whose values teams see a part of a reconciliation, checked and read."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from config.definitions.faults import Fault
from config.definitions.rules import RecordFields, unknown_keys
from ingestion.mapping import word_of
from ingestion.suggestion import nearest
from reconciliation.models.scope import LONGEST


def scope_faults(place: str, given: Any, fields: RecordFields, teams: Collection[str]) -> Iterator[Fault]:  # noqa: ANN401
    """What is wrong with a scope."""
    if given is None:
        return
    yield from unknown_keys(place, given, ("field", "teams"))
    yield from _field_faults(f"{place}.field", given.get("field"), fields)
    for team, values in (given.get("teams") or {}).items():
        if team not in teams:
            yield Fault(f"{place}.teams.{team}", f"there is no team {team!r}{nearest(team, teams)}")
        if any(len(word_of(value)) > LONGEST for value in values):
            yield Fault(f"{place}.teams.{team}", f"a value has at most {LONGEST} characters")


def _field_faults(place: str, name: object, fields: RecordFields) -> Iterator[Fault]:
    if name is None:
        yield Fault(place, "a scope needs a field, such as {field: desk}")
        return
    unknown = list(fields.unknown(place, name))
    yield from unknown
    leaf = fields.leaf(str(name))
    if not unknown and (leaf is None or leaf.kind != "text" or "." in str(name)):
        yield Fault(
            place, f"{name!r} cannot be the scope: choose a field of type text, or a reference with one text as its key"
        )


def scope_values(given: Any) -> tuple[str, Mapping[str, Sequence[str]]]:  # noqa: ANN401 - as the file has it
    """The field, and the values by team; an empty value stands for records without one."""
    if not given:
        return "", {}
    return str(given["field"]), {
        team: list(map(word_of, values)) for team, values in (given.get("teams") or {}).items()
    }
