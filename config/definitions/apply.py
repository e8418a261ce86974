"""Applying a definition: idempotent, all or nothing, and it says what it changed."""

import csv
import hashlib
from collections.abc import Mapping
from pathlib import Path

from django.db import transaction
from django.db.models import Model

from attribution.models import Reason
from config.definitions.check import Checker, Document
from config.definitions.export import record_type_document
from config.definitions.faults import BadDefinition, Fault
from config.definitions.yaml_text import read_yaml
from ingestion import custody
from ingestion import models as ingestion
from ingestion.models import Calendar, CodeTranslation, Field, Holiday, RecordType, Source
from reconciliation.models import Reconciliation, Team
from reconciliation.rule_sets import canonical_json
from reconciliation.store.ddl import ensure_tables

WEEKDAYS = {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), 1)}
RULE_KEYS = ("match", "compare", "authority", "gate", "provers")


def check_definition(text: str, folder: Path) -> Document:
    """The document with its value tables read in; BadDefinition holds every fault."""
    document = read_yaml(text)
    faults = _read_tables(document, folder)
    known = {record_type.code: record_type_document(record_type) for record_type in RecordType.objects.all()}
    sources = dict(Source.objects.values_list("code", "record_type__code"))
    faults += Checker(document, known, sources).run()
    if faults:
        raise BadDefinition(faults)
    return document


def _read_tables(document: Document, folder: Path) -> list[Fault]:
    """Put the rows of `values: {table, from, to}` in the place of the file's name."""
    faults = []
    sources = document.get("sources")
    for code, source in (sources if isinstance(sources, dict) else {}).items():
        mapping = source.get("mapping") if isinstance(source, dict) else None
        for path, given in (mapping if isinstance(mapping, dict) else {}).items():
            values = given.get("values") if isinstance(given, dict) else None
            if isinstance(values, dict) and set(values) >= {"table", "from", "to"}:
                try:
                    given["values"] = _table(folder, values)
                except (OSError, ValueError, UnicodeDecodeError) as error:
                    faults.append(Fault(f"sources.{code}.mapping.{path}.values", str(error)))
    return faults


def _table(folder: Path, spec: Document) -> dict[str, str]:
    file = (folder / str(spec["table"])).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        raise ValueError(f"there is no file {spec['table']!r} beside the definition")
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.reader(lines))
    start, source, target = _positions(rows, spec)
    return {row[source]: row[target] for row in rows[start:] if len(row) > max(source, target) and row[source]}


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
def apply_definition(text: str, folder: Path, *, by: str = "") -> list[str]:
    """Apply a definition; gives a line per thing created or changed. BadDefinition leaves everything as it was."""
    document = check_definition(text, folder)
    said: list[str] = []
    for code, given in _section(document, "calendars"):
        said += _calendar(code, given)
    for code, given in _section(document, "reasons"):
        said += _reason(code, given)
    for code, given in _section(document, "teams"):
        said += _save(Team, code, {"label": str(given.get("label") or "")})
    types = _section(document, "record_types")
    for code, given in sorted(types, key=lambda pair: _refers(pair[1])):
        said += _record_type(code, given)
    for code, given in _section(document, "sources"):
        said += _source(code, given, by)
    for code, given in _section(document, "reconciliations"):
        said += _reconciliation(code, given)
    for code, _ in types:
        ensure_tables(RecordType.objects.get(code=code))
    return said


def _section(document: Document, name: str) -> list[tuple[str, Document]]:
    return list((document.get(name) or {}).items())  # type: ignore[attr-defined]


def _refers(document: Document) -> bool:
    return any(field.get("type") == "reference" for field in document["fields"].values())  # type: ignore[attr-defined]


def _save(model: type[Model], code: str, values: Mapping[str, object]) -> list[str]:
    """Make or change a row by its code; says so only where something changed."""
    name = str(model._meta.verbose_name)
    row = model._default_manager.filter(code=code).first()
    if row is None:
        custody.seal([model._default_manager.create(code=code, **values)])
        return [f"{name} {code}: created"]
    changed = [key for key, value in values.items() if getattr(row, key) != value]
    if not changed:
        return []
    for key in changed:
        setattr(row, key, values[key])
    row.save()
    custody.seal([row])
    return [f"{name} {code}: changed {', '.join(changed)}"]


def _calendar(code: str, given: Document) -> list[str]:
    weekend = [WEEKDAYS[str(day)] for day in given.get("weekend") or ["sat", "sun"]]  # type: ignore[attr-defined]
    said = _save(Calendar, code, {"label": str(given.get("label") or ""), "weekend": weekend})
    calendar = Calendar.objects.get(code=code)
    wanted = {str(day) for day in given.get("holidays") or []}  # type: ignore[attr-defined]
    names = given["holidays"] if isinstance(given.get("holidays"), dict) else {}
    held = {f"{holiday.day:%Y-%m-%d}": holiday for holiday in calendar.holidays.all()}
    fresh = [Holiday(calendar=calendar, day=day, name=str(names.get(day) or "")) for day in sorted(wanted - set(held))]  # type: ignore[union-attr, attr-defined]
    custody.seal(Holiday.objects.bulk_create(fresh))
    gone = [held[day].pk for day in set(held) - wanted]
    Holiday.objects.filter(pk__in=gone).delete()
    custody.forget(Holiday, gone)
    return said + ([f"calendar {code}: {len(fresh)} holidays added, {len(gone)} removed"] if fresh or gone else [])


def _reason(code: str, given: Document) -> list[str]:
    values = {key: given[key] for key in ("label", "functional", "active", "description") if key in given}
    return _save(Reason, code, values)


def _record_type(code: str, given: Document) -> list[str]:
    """A new field widens the type; any other change of shape starts a new generation."""
    said = _save(RecordType, code, {"label": str(given.get("label") or "")})
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
        f"record type {code}: new shape, generation {record_type.generation}",
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
        "choices": list(map(str, field.get("choices") or [])),  # type: ignore[call-overload]
        "sensitive": bool(field.get("sensitive")),
    }


SHAPE = ("code", "kind", "digits", "places", "refers_to", "is_key", "choices")


def _shape(field: Field) -> tuple[object, ...]:
    return tuple(getattr(field, name) for name in SHAPE)


def _wanted_shape(values: Mapping[str, object]) -> tuple[object, ...]:
    return tuple(values[name] for name in SHAPE)


def _relabel(held: Mapping[str, Field], wanted: list[dict[str, object]]) -> list[str]:
    said = []
    for values in wanted:
        field = held[str(values["code"])]
        if (field.label, field.sensitive) != (values["label"], values["sensitive"]):
            field.label, field.sensitive = str(values["label"]), bool(values["sensitive"])
            field.save()
            custody.seal([field])
            said.append(f"field {field}: changed")
    return said


def _add_fields(record_type: RecordType, wanted: list[dict[str, object]], *, first: bool) -> list[str]:
    if not first:
        record_type.schema_version += 1
        record_type.save()
    fields = [
        Field(record_type=record_type, generation=record_type.generation, since=record_type.schema_version, **values)
        for values in wanted
    ]
    custody.seal(Field.objects.bulk_create(fields))
    custody.seal([record_type])
    return [f"record type {record_type}: fields {', '.join(str(values['code']) for values in wanted)}"]


def _source(code: str, given: Document, by: str) -> list[str]:
    values = {
        "label": str(given.get("label") or ""),
        "record_type": RecordType.objects.get(code=given["record_type"]),
        "kind": given.get("kind", Source.Kind.UPLOAD),
        "delivers": given.get("delivers", Source.Delivers.INCREMENTS),
        "calendar": Calendar.objects.get(code=given["calendar"]) if given.get("calendar") else None,
        "business_date": given.get("business_date") or {},
        "format": given.get("format") or {},
    }
    said = _save(Source, code, values)
    source = Source.objects.get(code=code)
    if version := change_mapping(source, given["mapping"], by=by):  # type: ignore[arg-type]
        said.append(f"source {code}: mapping {version}")
    return said + _translations(source, given.get("translations") or {})  # type: ignore[arg-type]


def change_mapping(source: Source, document: Document, *, by: str = "") -> int | None:
    """A new immutable mapping version, if the mapping or the format differs from the newest; gives its number."""
    text = canonical_json({"mapping": document, "format": source.format})
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    newest = source.mappings.order_by("-version").first()
    if newest is not None and newest.sha256 == sha256:
        return None
    version = newest.version + 1 if newest else 1
    mapping = ingestion.Mapping.objects.create(
        source=source, version=version, document=dict(document), format=source.format, sha256=sha256, created_by=by
    )
    custody.seal([mapping])
    return version


def _translations(source: Source, given: Mapping[str, Mapping[str, str]]) -> list[str]:
    wanted = {(field, str(a), str(b)) for field, values in given.items() for a, b in values.items()}
    held = {(it.field, it.a_value, it.b_value): it.pk for it in source.translations.all()}
    fresh = [CodeTranslation(source=source, field=f, a_value=a, b_value=b) for f, a, b in sorted(wanted - set(held))]
    custody.seal(CodeTranslation.objects.bulk_create(fresh))
    gone = [held[key] for key in set(held) - wanted]
    CodeTranslation.objects.filter(pk__in=gone).delete()
    custody.forget(CodeTranslation, gone)
    return [f"source {source}: {len(fresh)} code translations added, {len(gone)} removed"] if fresh or gone else []


def _reconciliation(code: str, given: Document) -> list[str]:
    values = {
        "label": str(given.get("label") or ""),
        "a": Source.objects.get(code=given["a"]),
        "b": Source.objects.get(code=given["b"]),
        "calendar": Calendar.objects.get(code=given["calendar"]) if given.get("calendar") else None,
        "team": Team.objects.get(code=given["team"]) if given.get("team") else None,
        "four_eyes": bool(given.get("four_eyes")),
        "rules": {key: given[key] for key in RULE_KEYS if given.get(key)},
    }
    return _save(Reconciliation, code, values)
