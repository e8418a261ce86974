"""Checking a definition before anything of it is applied."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from config.definitions.connections import connection_faults
from config.definitions.faults import Fault
from config.definitions.formats import format_faults
from config.definitions.rules import RecordFields, rule_faults, unknown_keys
from config.definitions.scope import scope_faults
from config.definitions.times import alert_faults, deadline_faults, runs_faults, schedule_faults, training_faults
from ingestion.calendars import WEEKDAYS
from ingestion.errors import BadMapping
from ingestion.mapping import KEYS as MAPPING_KEYS
from ingestion.mapping import FieldMapping, word_of
from ingestion.models import Field, Source
from ingestion.shape import KINDS, Leaf
from ingestion.suggestion import nearest
from ingestion.value_sql import check_moments, check_pattern, cleaned_sql, typed_sql

Document = Mapping[str, object]
CODE = re.compile(r"[a-z][a-z0-9_]{0,40}")
NO_CODE = "a code is a letter, then letters, digits or _, at most 41, in lower case"
TOP = ("record_types", "sources", "reconciliations", "calendars", "reasons", "teams", "alerts")
FIELD = ("type", "key", "digits", "places", "to", "choices", "label", "sensitive")
SOURCE = (
    "label", "record_type", "kind", "delivers", "calendar", "business_date", "format", "connection", "schedule", "deadline",
    "retention", "mapping", "translations",
)  # fmt: skip
RECONCILIATION = (
    "label", "a", "b", "calendar", "team", "scope", "four_eyes", "match", "compare", "authority", "gate", "provers", "sla", "runs",
    "training",
)  # fmt: skip
LONGEST_KEPT = 36_500  # days


@dataclass(frozen=True)
class Known:
    """What is set up already: record types as documents, the record type of each source, and codes."""

    types: Mapping[str, Document]
    sources: Mapping[str, str]
    calendars: frozenset[str]
    teams: frozenset[str]
    reasons: frozenset[str]


class Checker:
    """Collects the faults of one document whose structure fits."""

    def __init__(self, document: Document, known: Known) -> None:
        self.document = document
        self.types: dict[str, Document] = {**known.types, **self._section("record_types")}
        self.known = known
        self.faults: list[Fault] = []

    def _section(self, name: str) -> dict[str, Document]:
        return self.document.get(name) or {}  # type: ignore[return-value]

    def run(self) -> list[Fault]:
        """Every fault, in the order of the document."""
        self._keys("", self.document, TOP)
        for section, check in (
            ("record_types", self._record_type),
            ("sources", self._source),
            ("reconciliations", self._reconciliation),
            ("calendars", self._calendar),
            ("reasons", self._reason),
            ("teams", self._team),
            ("alerts", self._alert),
        ):
            self._each(section, check)
        return self.faults

    def _each(self, section: str, check: Callable[[str, str, Document], None]) -> None:
        for code, document in self._section(section).items():
            place = f"{section}.{code}"
            if section != "reasons" and not CODE.fullmatch(code):
                self._fault(place, NO_CODE)
            check(place, code, document)

    def _fault(self, place: str, sentence: str) -> None:
        self.faults.append(Fault(place, sentence))

    def _keys(self, place: str, document: Document, known: Iterable[str]) -> None:
        self.faults += unknown_keys(place, document, known)

    def _set_up(self, place: str, key: str, document: Document, known: Iterable[str]) -> None:
        """A fault where a calendar or team is named that there is not."""
        codes = {*known, *self._section(f"{key}s")}
        if (code := document.get(key)) is not None and code not in codes:
            self._fault(f"{place}.{key}", f"there is no {key} {code!r}{nearest(str(code), codes)}")

    def _record_type(self, place: str, code: str, document: Document) -> None:
        self._keys(place, document, ("label", "fields"))
        owner = code.removesuffix("_version")
        if owner != code and owner in self._referred():
            self._fault(
                place, f"{owner!r} is referred to and keeps its versions in a table of this name; choose another code"
            )
        fields = document.get("fields")
        if not isinstance(fields, dict) or not fields:
            return self._fault(place, "a record type needs fields")
        for name, field in fields.items():
            self._field(f"{place}.fields.{name}", name, field)
        if not any(isinstance(field, dict) and field.get("key") for field in fields.values()):
            self._fault(place, "a record type needs at least one key field; write `key: true`")
        return None

    def _referred(self) -> set[str]:
        """The record types that a field of another one refers to."""
        return {str(field.get("to")) for document in self.types.values() for field in _fields(document).values()}

    def _field(self, place: str, name: str, field: object) -> None:
        if not CODE.fullmatch(name):
            self._fault(place, NO_CODE)
        if not isinstance(field, dict):
            return self._fault(place, "a field is a mapping such as {type: text}")
        self._keys(place, field, FIELD)
        kind = field.get("type")
        if kind not in Field.Kind.values:
            return self._fault(f"{place}.type", f"there is no type {kind!r}{nearest(str(kind), Field.Kind.values)}")
        if kind == "reference":
            target = self.types.get(str(field.get("to")))
            if target is None:
                return self._fault(
                    f"{place}.to",
                    f"there is no record type {field.get('to')!r}{nearest(str(field.get('to')), self.types)}",
                )
            if any(isinstance(f, dict) and f.get("type") == "reference" for f in _fields(target).values()):
                self._fault(
                    f"{place}.to", f"{field['to']!r} itself has a reference; only one step of references is supported"
                )
        if kind == "decimal":
            digits, places = field.get("digits", 18), field.get("places", 0)
            if (
                not isinstance(digits, int)
                or not isinstance(places, int)
                or not 1 <= digits <= 38
                or not 0 <= places <= digits
            ):
                self._fault(place, "a decimal has 1 to 38 digits, and at most as many places")
        return None

    def leaves(self, record_type: str) -> dict[str, Leaf]:
        """Leaves by path, and by field name for a reference with one key attribute."""
        found: dict[str, Leaf] = {}
        for name, field in _fields(self.types.get(record_type, {})).items():
            if field.get("type") != "reference":
                found[name] = _leaf(name, name, field)
                continue
            for attribute, inner in _fields(self.types.get(str(field.get("to")), {})).items():
                found[f"{name}.{attribute}"] = _leaf(f"{name}.{attribute}", name, inner)
        return found

    def _source(self, place: str, code: str, document: Document) -> None:
        self._keys(place, document, SOURCE)
        record_type = str(document.get("record_type"))
        if record_type not in self.types:
            return self._fault(
                f"{place}.record_type", f"there is no record type {record_type!r}{nearest(record_type, self.types)}"
            )
        self._set_up(place, "calendar", document, self.known.calendars)
        for key, known in (("kind", Source.Kind.values), ("delivers", Source.Delivers.values)):
            if key in document and document[key] not in known:
                self._fault(
                    f"{place}.{key}", f"there is no {key} {document[key]!r}{nearest(str(document[key]), known)}"
                )
        if document.get("format") is not None:
            self.faults += format_faults(f"{place}.format", document["format"])
        kind = str(document.get("kind", Source.Kind.UPLOAD))
        self.faults += connection_faults(f"{place}.connection", kind, document.get("connection") or {})
        self.faults += schedule_faults(f"{place}.schedule", kind, document.get("schedule"))
        self.faults += deadline_faults(f"{place}.deadline", document.get("deadline"))
        self._retention(f"{place}.retention", document.get("retention"))
        if "business_date" in document:
            self._business_date(f"{place}.business_date", document["business_date"])
        mapping = document.get("mapping")
        if not isinstance(mapping, dict) or not mapping:
            return self._fault(f"{place}.mapping", "a source needs a mapping of its columns to fields")
        leaves = self.leaves(record_type)
        for path, given in mapping.items():
            self._mapped(f"{place}.mapping.{path}", record_type, path, given, leaves)
        self._translations(f"{place}.translations", record_type, document.get("translations") or {}, leaves)
        return self._needed(place, record_type, mapping)

    def _retention(self, place: str, given: object) -> None:
        if given is None:
            return
        assert isinstance(given, dict)
        self._keys(place, given, ("raw_days",))
        days = str(given.get("raw_days"))
        if not (days.isascii() and days.isdigit()) or not 1 <= int(days[:9]) <= LONGEST_KEPT:
            self._fault(
                f"{place}.raw_days", f"raw bytes are kept for 1 to {LONGEST_KEPT:,} days, such as {{raw_days: 400}}"
            )

    def _business_date(self, place: str, rule: object) -> None:
        if not isinstance(rule, dict) or len({"column", "from_name"} & set(rule)) != 1:
            return self._fault(place, "a business date is read from one of {column: ...} and {from_name: REGEX}")
        self._keys(place, rule, ("column", "from_name"))
        try:
            check_pattern(str(rule.get("from_name", "")))
        except BadMapping as error:
            self._fault(place, str(error))
        return None

    def _translations(self, place: str, record_type: str, given: object, leaves: Mapping[str, Leaf]) -> None:
        for name, values in given.items() if isinstance(given, dict) else [("", None)]:
            if not isinstance(values, dict):
                self._fault(place, "translations are a mapping such as {side: {BUY: B}}")
            else:
                self._named(place, name, {*_fields(self.types[record_type]), *leaves}, record_type)

    def _mapped(self, place: str, record_type: str, path: str, given: object, leaves: Mapping[str, Leaf]) -> None:
        if path not in leaves:
            owner = path.split(".")[0]
            is_reference = any(leaf.startswith(f"{owner}.") for leaf in leaves)
            return self._fault(
                place,
                f"record type {record_type!r} has no field {path!r}"
                + (
                    f"; a reference is mapped by its attributes, such as {next(x for x in leaves if x.startswith(owner + '.'))!r}"
                    if is_reference and path == owner
                    else nearest(path, leaves)
                ),
            )
        if not isinstance(given, dict):
            return self._fault(place, "a mapping of a field is a mapping such as {column: Amount}")
        self._keys(place, given, MAPPING_KEYS)
        if ("column" in given) == ("value" in given) or given.get("column", "x") in (None, ""):
            return self._fault(place, "name either a column or a constant value")
        try:
            mapping = FieldMapping.from_document(path, {k: v for k, v in given.items() if k in MAPPING_KEYS})
            typed_sql(leaves[path], mapping, cleaned_sql(mapping, "c"))
            if leaves[path].kind in ("date", "datetime"):
                check_moments(mapping)
        except BadMapping as error:
            self._fault(place, str(error).removeprefix(f"{path}: "))
        return None

    def _needed(self, place: str, record_type: str, mapping: Document) -> None:
        for name, field in _fields(self.types[record_type]).items():
            if field.get("type") == "reference":
                inner = _fields(self.types.get(str(field.get("to")), {}))
                keys = [f"{name}.{attribute}" for attribute, it in inner.items() if it.get("key")]
                used = field.get("key") or any(path.startswith(f"{name}.") for path in mapping)
                missing = [key for key in keys if used and key not in mapping]
            else:
                missing = [name] if field.get("key") and name not in mapping else []
            for key in missing:
                self._fault(f"{place}.mapping", f"the key {key!r} is not mapped")

    def _reconciliation(self, place: str, code: str, document: Document) -> None:
        self._keys(place, document, RECONCILIATION)
        self._set_up(place, "calendar", document, self.known.calendars)
        self._set_up(place, "team", document, self.known.teams)
        self.faults += runs_faults(f"{place}.runs", document.get("runs"))
        self.faults += training_faults(f"{place}.training", document.get("training"))
        given = {code: str(source.get("record_type")) for code, source in self._section("sources").items()}
        known = {**self.known.sources, **given}
        types = []
        for side in ("a", "b"):
            name = str(document.get(side))
            if name not in known:
                self._fault(f"{place}.{side}", f"there is no source {name!r}{nearest(name, known)}")
            else:
                types.append(known[name])
        if len(types) < 2:
            return None
        if types[0] != types[1]:
            return self._fault(
                place, f"a delivers {types[0]!r} but b delivers {types[1]!r}; both must deliver one record type"
            )
        if document.get("a") == document.get("b"):
            return self._fault(place, "a and b are one source; a reconciliation needs two")
        if types[0] in self.types:
            reasons, fields = {*self.known.reasons, *self._section("reasons")}, self._record_fields(types[0])
            self.faults += rule_faults(place, document, fields, reasons)
            teams = {*self.known.teams, *self._section("teams")}
            self.faults += scope_faults(f"{place}.scope", document.get("scope"), fields, teams)
        return None

    def _record_fields(self, record_type: str) -> RecordFields:
        fields = _fields(self.types[record_type])
        references = {
            name: [
                f"{name}.{it}"
                for it, inner in _fields(self.types.get(str(one.get("to")), {})).items()
                if inner.get("key")
            ]
            for name, one in fields.items()
            if one.get("type") == "reference"
        }
        keys = [name for name, one in fields.items() if one.get("key")]
        return RecordFields(record_type, keys, references, self.leaves(record_type))

    def _named(self, place: str, name: str, names: Iterable[str], record_type: str) -> None:
        if name not in names:
            self._fault(f"{place}.{name}", f"record type {record_type!r} has no field {name!r}{nearest(name, names)}")

    def _reason(self, place: str, code: str, document: Document) -> None:
        self._keys(place, document, ("label", "functional", "active", "description"))
        if not isinstance(document.get("active", True), bool):
            self._fault(f"{place}.active", "write true or false")

    def _team(self, place: str, code: str, document: Document) -> None:
        self._keys(place, document, ("label",))

    def _alert(self, place: str, code: str, document: Document) -> None:
        sources, teams = (
            {*known, *self._section(name)}
            for name, known in (("sources", self.known.sources), ("teams", self.known.teams))
        )
        self.faults += alert_faults(place, document, sources, teams)

    def _calendar(self, place: str, code: str, document: Document) -> None:
        self._keys(place, document, ("label", "weekend", "holidays"))
        days = document.get("holidays") or []
        if not isinstance(days, list | dict):
            return self._fault(f"{place}.holidays", "these are a list of dates, or a mapping of dates to names")
        for day in days:
            try:
                dt.date.fromisoformat(str(day))
            except ValueError:
                self._fault(f"{place}.holidays", f"{day!r} is no date such as 2026-12-25")
        for day in document.get("weekend") or ():  # type: ignore[attr-defined]
            if day not in WEEKDAYS:
                self._fault(f"{place}.weekend", f"{day!r} is no weekday such as sat")
        return None


def _fields(document: Document) -> Mapping[str, Document]:
    fields = document.get("fields") or {}
    return (
        {name: field for name, field in fields.items() if isinstance(field, dict)} if isinstance(fields, dict) else {}
    )


def _leaf(path: str, name: str, field: Document) -> Leaf:
    digits, places = (
        it if isinstance(it := field.get(key), int) else given for key, given in (("digits", 18), ("places", 0))
    )
    choices = tuple(map(word_of, field.get("choices") or ()))  # type: ignore[call-overload]
    kind = str(field.get("type")) if field.get("type") in KINDS else "text"
    return Leaf(path, name, "x", kind, digits=digits, places=places, choices=choices)
