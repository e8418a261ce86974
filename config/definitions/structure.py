"""The structure of a definition: where a mapping, a list, a single text or true and false have to stand.

What does not fit is a fault and left out, so that everything behind it meets the kinds of values that it expects.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.definitions.faults import Fault


@dataclass(frozen=True)
class Each:
    """A mapping whose values are all of one structure."""

    of: object


@dataclass(frozen=True)
class ListOf:
    """A list of one structure; what is no list stands for a list of one."""

    of: object


ANY, TEXT, FLAG = object(), "a single text", "true or false"
WORDS = ListOf(TEXT)
FIELD = {
    "type": TEXT, "key": FLAG, "digits": ANY, "places": ANY, "to": TEXT, "choices": WORDS, "label": TEXT, "sensitive": FLAG,
}  # fmt: skip
CHECK = {"field": TEXT, "rule": TEXT, "min": TEXT, "max": TEXT, "values": WORDS, "pattern": TEXT, "other": TEXT}
GATE = {
    "confidence": TEXT, "budget": TEXT, "amount_field": TEXT, "currency_field": TEXT, "checks": ListOf(CHECK),
    "audit_rate": TEXT, "audit_floor": ANY,
}  # fmt: skip
SOURCE = {
    "label": TEXT, "record_type": TEXT, "kind": TEXT, "delivers": TEXT, "calendar": TEXT,
    "business_date": {"column": TEXT, "from_name": TEXT}, "schedule": TEXT,
    "deadline": {"at": TEXT, "zone": TEXT, "after": ANY, "grace": ANY}, "retention": {"raw_days": ANY}, "mapping": Each({}), "translations": Each(Each(TEXT)),
}  # fmt: skip
RECONCILIATION = {
    "label": TEXT, "a": TEXT, "b": TEXT, "calendar": TEXT, "team": TEXT, "scope": {"field": TEXT, "teams": Each(WORDS)}, "four_eyes": FLAG,
    "match": {"on": WORDS, "one_sided": TEXT, "wait": ANY}, "compare": Each({}), "authority": Each(TEXT), "gate": GATE,
    "sla": ListOf({"kind": TEXT, "over": ANY, "hours": ANY, "business_days": ANY}),
    "provers": Each({"reason": TEXT, "confidence": TEXT, "active": FLAG}),
    "runs": {"on_arrival": FLAG, "schedule": TEXT},
    "training": {"after": ANY, "schedule": TEXT, "promotes": FLAG},
}  # fmt: skip
DEFINITION = {
    "record_types": Each({"label": TEXT, "fields": Each(FIELD)}),
    "sources": Each(SOURCE),
    "reconciliations": Each(RECONCILIATION),
    "calendars": Each({"label": TEXT, "weekend": WORDS}),
    "reasons": Each({"label": TEXT, "description": TEXT}),
    "teams": Each({"label": TEXT}),
    "alerts": Each(
        {"email": TEXT, "webhook": TEXT, "secret": {"env": TEXT}, "sources": WORDS, "team": TEXT, "active": FLAG}
    ),
}
NOTHING = object()  # in the place of what does not fit


def fitted(document: Mapping[str, object]) -> tuple[dict[str, object], list[Fault]]:
    """The document without what does not fit, and a fault for each of those places. A key with null is left out."""
    faults: list[Fault] = []
    made = _fitted("", document, DEFINITION, faults)
    assert isinstance(made, dict)
    return made, faults


def behind(faults: list[Fault], others: list[Fault]) -> Iterator[Fault]:
    """Those of `others` that do not merely follow from a place that did not fit."""
    places = {fault.place for fault in faults}
    if any(place.startswith("record_types") for place in places):
        return
    for other in others:
        if not any(other.place == place or other.place.startswith((f"{place}.", f"{place}[")) for place in places):
            yield other


def _fitted(place: str, given: object, wanted: object, faults: list[Fault]) -> object:
    if wanted is ANY:
        return given
    if isinstance(wanted, ListOf):
        return _list(place, given, wanted.of, faults)
    if isinstance(wanted, Each | dict):
        return _mapping(place, given, wanted, faults)
    fits = isinstance(given, bool) if wanted is FLAG else not isinstance(given, dict | list) and given is not None
    return given if fits else _wrong(place, f"this must be {wanted}", faults)


def _list(place: str, given: object, of: object, faults: list[Fault]) -> object:
    if isinstance(given, dict) and of is TEXT:
        return _wrong(place, "this must be a list of texts", faults)
    several = given if isinstance(given, list) else [given]
    instead: object = {} if isinstance(of, dict) else ""  # the others keep their numbers
    made = (_fitted(f"{place}[{number}]", one, of, faults) for number, one in enumerate(several))
    return [instead if one is NOTHING else one for one in made]


def _mapping(place: str, given: object, wanted: Each | dict[str, object], faults: list[Fault]) -> object:
    if not isinstance(given, dict):
        return _wrong(
            place, "this must be a mapping of codes" if isinstance(wanted, Each) else "this must be a mapping", faults
        )
    made = {}
    for name, one in given.items():
        of = wanted.of if isinstance(wanted, Each) else wanted.get(name, ANY)
        if one is None and isinstance(wanted, dict) and name in wanted:
            continue
        value = _fitted(f"{place}.{name}".strip("."), one, of, faults)
        if value is not NOTHING:
            made[name] = value
    return made


def _wrong(place: str, sentence: str, faults: list[Fault]) -> object:
    faults.append(Fault(place, sentence))
    return NOTHING
