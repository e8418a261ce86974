"""Applying a definition: idempotent, all or nothing, and it says what it changed."""

import csv
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from django.db import transaction

from attribution.models import Reason
from attribution.reasons import put_reason
from config.definitions.check import Checker, Document, Known
from config.definitions.export import record_type_document
from config.definitions.faults import BadDefinition, Fault
from config.definitions.scope import scope_values
from config.definitions.structure import behind, fitted
from config.definitions.times import alert_values, define_deadline, training_values
from config.definitions.yaml_text import read_yaml
from ingestion import custody
from ingestion import models as ingestion
from ingestion.alerts import put_target
from ingestion.calendars import WEEKDAYS, define_calendar
from ingestion.changes import Change, ChangeRefused, Verb, save_named, tell_together, told_as_one, wait_for_turn
from ingestion.mapping import word_of
from ingestion.mapping_versions import change_mapping
from ingestion.models import Calendar, Field, RecordType, Source
from ingestion.schedules import PULL, RUN, TRAIN, put_schedule
from ingestion.translations import define_translations
from reconciliation.models import Reconciliation, Team
from reconciliation.scoping import put_scope
from reconciliation.store.ddl import ensure_tables
from reconciliation.store.tables import StoreRefusal

REASON_KEYS = ("label", "functional", "active", "description")
RULE_KEYS = ("match", "compare", "authority", "gate", "provers", "sla")


def check_definition(text: str, folder: Path) -> Document:
    """The document with its value tables read in; BadDefinition holds every fault."""
    return check_document(read_yaml(text), folder)


def check_document(given: Document, folder: Path) -> Document:
    """As `check_definition`, of a document that was read."""
    document, unfit = fitted(given)
    faults = _read_tables(document, folder)
    faults += behind(unfit, Checker(document, _known()).run())
    if unfit or faults:
        raise BadDefinition([*unfit, *faults])
    return document


def _known() -> Known:
    return Known(
        types={
            record_type.code: record_type_document(record_type, record_type.current_fields())
            for record_type in RecordType.objects.all()
        },
        sources=dict(Source.objects.values_list("code", "record_type__code")),
        calendars=frozenset(Calendar.objects.values_list("code", flat=True)),
        teams=frozenset(Team.objects.values_list("code", flat=True)),
        reasons=frozenset(Reason.objects.filter(active=True).values_list("code", flat=True)),
    )


def _read_tables(document: Document, folder: Path) -> list[Fault]:
    """Put the rows of `values: {table, from, to}` in the place of the file's name."""
    faults = []
    sources = document.get("sources")
    for code, source in (sources if isinstance(sources, dict) else {}).items():
        mapping = source.get("mapping") if isinstance(source, dict) else None
        for path, given in (mapping if isinstance(mapping, dict) else {}).items():
            values = given.get("values") if isinstance(given, dict) else None
            if isinstance(values, dict) and "table" in values and {"from", "to"} & set(values):
                try:
                    given["values"] = _table(folder, values)
                except (OSError, ValueError, csv.Error) as error:
                    faults.append(Fault(f"sources.{code}.mapping.{path}.values", str(error)))
    return faults


def _table(folder: Path, spec: Document) -> dict[str, str]:
    if set(spec) != {"table", "from", "to"}:
        raise ValueError("a table of values has three keys: {table: file, from: column, to: column}")
    file = (folder / str(spec["table"])).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        raise ValueError(f"there is no file {spec['table']!r} beside the definition")
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.reader(lines))
    start, source, target = _positions(rows, spec)
    values: dict[str, str] = {}
    for row in rows[start:]:
        code, value = (row[source], row[target]) if len(row) > max(source, target) else ("", "")
        if code and values.setdefault(code, value) != value:
            raise ValueError(f"the table has two values for {code!r}: {values[code]!r} and {value!r}")
    return values


def _positions(rows: list[list[str]], spec: Document) -> tuple[int, int, int]:
    """The first row of values, and the two columns; `column_n` names a column of a table without a header."""
    names = [str(spec["from"]), str(spec["to"])]
    if all(name.startswith("column_") and name[7:].isdigit() for name in names):
        return 0, int(names[0][7:]) - 1, int(names[1][7:]) - 1
    header = rows[0] if rows else []
    for name in names:
        if name not in header:
            raise ValueError(f"the table has no column {name!r}; it has {', '.join(header)}")
    return 1, header.index(names[0]), header.index(names[1])


@transaction.atomic
def apply_definition(text: str, folder: Path, *, by: str = "") -> list[Change]:
    """Apply a definition; gives what it created, changed or deleted. BadDefinition leaves everything as it was."""
    wait_for_turn()
    document = check_definition(text, folder)
    said: list[Change] = []
    types = sorted(_section(document, "record_types"), key=lambda pair: _refers(pair[1]))
    sections: list[tuple[str, list[tuple[str, Document]], Callable[[str, Document], list[Change]]]] = [
        ("calendars", _section(document, "calendars"), _calendar),
        ("reasons", _section(document, "reasons"), _reason),
        ("teams", _section(document, "teams"), _team),
        ("record_types", types, _record_type),
        ("sources", _section(document, "sources"), partial(_source, by=by)),
        ("reconciliations", _section(document, "reconciliations"), _reconciliation),
        ("alerts", _section(document, "alerts"), _alert),
    ]
    with told_as_one(by):
        for name, given, put in sections:
            for code, one in given:
                with _fault_at(f"{name}.{code}"):
                    said += put(code, one)
    tell_together(said, of="definition", name=_named(document), by=by)
    for code, _ in types:
        with _fault_at(f"record_types.{code}"):
            ensure_tables(RecordType.objects.get(code=code))
    return said


def _named(document: Document) -> str:
    """What a definition is called: its reconciliations, else the sections that it has."""
    return ", ".join(code for code, _ in _section(document, "reconciliations")) or ", ".join(document)


@contextmanager
def _fault_at(place: str) -> Iterator[None]:
    """What a service refuses is a fault of the definition."""
    try:
        yield
    except (ChangeRefused, StoreRefusal) as refusal:
        raise BadDefinition([Fault(place, str(refusal))]) from None


def _section(document: Document, name: str) -> list[tuple[str, Document]]:
    return list((document.get(name) or {}).items())  # type: ignore[attr-defined]


def _refers(document: Document) -> bool:
    return any(field.get("type") == "reference" for field in document["fields"].values())  # type: ignore[attr-defined]


def _calendar(code: str, given: Document) -> list[Change]:
    weekend = [WEEKDAYS.index(str(day)) + 1 for day in given.get("weekend") or ["sat", "sun"]]  # type: ignore[attr-defined]
    names = given["holidays"] if isinstance(given.get("holidays"), dict) else {}
    days = {str(day): str(names.get(day) or "") for day in given.get("holidays") or []}  # type: ignore[attr-defined]
    holidays = {dt.date.fromisoformat(day): name for day, name in days.items()}
    return define_calendar(code=code, label=str(given.get("label") or ""), weekend=weekend, holidays=holidays)


def _reason(code: str, given: Document) -> list[Change]:
    return put_reason(code=code, **{key: given[key] for key in REASON_KEYS if key in given})


def _team(code: str, given: Document) -> list[Change]:
    return save_named(Team, code, {"label": str(given.get("label") or "")})


def _record_type(code: str, given: Document) -> list[Change]:
    """A new field widens the type; any other change of shape starts a new generation."""
    said = save_named(RecordType, code, {"label": str(given.get("label") or "")})
    record_type = RecordType.objects.get(code=code)
    wanted = [_field_values(position, name, field) for position, (name, field) in enumerate(given["fields"].items())]  # type: ignore[attr-defined]
    held = {field.code: field for field in record_type.current_fields()}
    if [_shape(field) for field in held.values()] == [_wanted_shape(values) for values in wanted]:
        return said + _relabel(held, wanted)
    grown = all(_shape(field) == _wanted_shape(values) for field, values in zip(held.values(), wanted, strict=False))
    keys_stay = not any(values["is_key"] for values in wanted[len(held) :]) or not held
    if grown and keys_stay and len(wanted) > len(held):
        return said + _add_fields(record_type, wanted[len(held) :], first=not held)
    record_type.generation += 1
    record_type.schema_version += 1
    record_type.save()
    custody.seal([record_type])
    return [
        *said,
        *_add_fields(record_type, wanted, first=True),
        Change(RecordType, "change", f"record type {code}: new shape, generation {record_type.generation}"),
    ]


def _field_values(position: int, name: str, field: Document) -> dict[str, object]:
    is_decimal = field["type"] == "decimal"
    return {
        "position": position,
        "code": name,
        "label": str(field.get("label") or ""),
        "kind": field["type"],
        "digits": field.get("digits", 18) if is_decimal else None,
        "places": field.get("places", 0) if is_decimal else None,
        "refers_to": RecordType.objects.get(code=field["to"]) if field["type"] == "reference" else None,
        "is_key": bool(field.get("key")),
        "choices": list(map(word_of, field.get("choices") or [])),  # type: ignore[call-overload]
        "sensitive": bool(field.get("sensitive")),
    }


SHAPE = ("code", "kind", "digits", "places", "refers_to", "is_key", "choices")


def _shape(field: Field) -> tuple[object, ...]:
    return tuple(getattr(field, name) for name in SHAPE)


def _wanted_shape(values: Mapping[str, object]) -> tuple[object, ...]:
    return tuple(values[name] for name in SHAPE)


def _relabel(held: Mapping[str, Field], wanted: list[dict[str, object]]) -> list[Change]:
    said: list[Change] = []
    for values in wanted:
        field = held[str(values["code"])]
        if (field.label, field.sensitive) != (values["label"], values["sensitive"]):
            field.label, field.sensitive = str(values["label"]), bool(values["sensitive"])
            field.save()
            custody.seal([field])
            said.append(Change(Field, "change", f"field {field}: changed"))
    return said


def _add_fields(record_type: RecordType, wanted: list[dict[str, object]], *, first: bool) -> list[Change]:
    if not first:
        record_type.schema_version += 1
        record_type.save()
    fields = [
        Field(record_type=record_type, generation=record_type.generation, since=record_type.schema_version, **values)
        for values in wanted
    ]
    custody.seal(Field.objects.bulk_create(fields))
    custody.seal([record_type])
    names = ", ".join(str(values["code"]) for values in wanted)
    return [Change(Field, "add", f"record type {record_type}: fields {names}")]


def _source(code: str, given: Document, *, by: str) -> list[Change]:
    values = {
        "label": str(given.get("label") or ""),
        "record_type": RecordType.objects.get(code=given["record_type"]),
        "kind": given.get("kind", Source.Kind.UPLOAD),
        "delivers": given.get("delivers", Source.Delivers.INCREMENTS),
        "calendar": Calendar.objects.get(code=given["calendar"]) if given.get("calendar") else None,
        "business_date": given.get("business_date") or {},
        "format": given.get("format") or {},
        "connection": given.get("connection") or {},
        "raw_days": int(str(retention["raw_days"])) if (retention := given.get("retention") or {}) else None,  # type: ignore[index]
    }
    said = save_named(Source, code, values)
    source = Source.objects.get(code=code)
    if version := change_mapping(source, given["mapping"], by=by):  # type: ignore[arg-type]
        said.append(Change(ingestion.Mapping, "add", f"source {code}: mapping {version}"))
    said += put_schedule(task=PULL, code=code, text=str(given.get("schedule") or ""))
    said += define_deadline(source, given.get("deadline"))
    return said + define_translations(source=source, wanted=given.get("translations") or {})  # type: ignore[arg-type]


def _reconciliation(code: str, given: Document) -> list[Change]:
    runs: Document = given.get("runs") or {}  # type: ignore[assignment]
    values = {
        "label": str(given.get("label") or ""),
        "a": Source.objects.get(code=given["a"]),
        "b": Source.objects.get(code=given["b"]),
        "calendar": Calendar.objects.get(code=given["calendar"]) if given.get("calendar") else None,
        "team": Team.objects.get(code=given["team"]) if given.get("team") else None,
        "four_eyes": bool(given.get("four_eyes")),
        "runs_on_arrival": bool(runs.get("on_arrival")),
        **training_values(given.get("training")),
        "rules": {key: given[key] for key in RULE_KEYS if given.get(key)},
    }
    said = save_named(Reconciliation, code, values)
    if said:
        said += _idle_rules(code, given, said[0].verb)
    field, granted = scope_values(given.get("scope"))
    said += put_scope(reconciliation=Reconciliation.objects.get(code=code), field=field, granted=granted)
    training: Document = given.get("training") or {}  # type: ignore[assignment]
    for task, times in ((RUN, runs), (TRAIN, training)):
        said += put_schedule(task=task, code=code, text=str(times.get("schedule") or ""))
    return said


def _idle_rules(code: str, given: Document, verb: Verb) -> list[Change]:
    """A line for each compare rule that nothing can follow from."""
    keys = Source.objects.get(code=given["a"]).record_type.current_fields().filter(is_key=True)
    idle = [key for key in keys.values_list("code", flat=True) if key in (given.get("compare") or {})]  # type: ignore[operator]
    what = "is part of the key, so its compare rule has no effect; clean it in the mapping"
    return [Change(Reconciliation, verb, f"reconciliation {code}: {key} {what}") for key in idle]


def _alert(code: str, given: Document) -> list[Change]:
    return put_target(code=code, **alert_values(given))
