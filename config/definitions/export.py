"""Exporting what is set up as a definition that, applied, gives the same again."""

from collections.abc import Iterable, Iterator

from django.db.models import Prefetch, prefetch_related_objects
from django_celery_beat.models import PeriodicTask

from attribution.models import Reason
from attribution.reasons import SEED
from config.definitions.times import alerts_document, deadline_document, schedule_document, training_document
from config.definitions.yaml_text import write_yaml
from ingestion.calendars import WEEKDAYS
from ingestion.models import Calendar, Field, Mapping, RecordType, Source
from ingestion.schedules import PULL, RUN, TRAIN, schedules_of
from reconciliation.models import Reconciliation, Team
from reconciliation.scoping import scope_document

RELATED = (
    "a__record_type", "a__calendar", "a__deadline", "b__record_type", "b__calendar", "b__deadline", "calendar", "team",
)  # fmt: skip
Schedules = dict[tuple[str, str], PeriodicTask]


def export_definition(reconciliation: Reconciliation) -> str:
    """The definition of a reconciliation with its sources, record types, calendars and added reasons, as YAML."""
    reconciliation = Reconciliation.objects.select_related(*RELATED).get(pk=reconciliation.pk)
    sources = [reconciliation.a, reconciliation.b]
    newest = Mapping.objects.order_by("source_id", "-version").distinct("source_id")
    prefetch_related_objects(sources, Prefetch("mappings", newest), "translations")
    schedules = _schedules(reconciliation)
    calendars = [it for it in {*(s.calendar for s in sources), reconciliation.calendar} if it is not None]
    prefetch_related_objects(calendars, "holidays")
    document: dict[str, object] = {
        "calendars": {it.code: _calendar(it) for it in sorted(calendars, key=lambda it: it.code)},
        "reasons": _added_reasons(),
        "teams": _teams(reconciliation),
        "record_types": {
            it.code: record_type_document(it, of) for it, of in _with_referred(reconciliation.record_type)
        },
        "sources": {it.code: _source(it, schedules) for it in sources},
        "reconciliations": {reconciliation.code: _reconciliation(reconciliation, schedules)},
        "alerts": alerts_document(sources),
    }
    return write_yaml({key: value for key, value in document.items() if value})


def _schedules(reconciliation: Reconciliation) -> Schedules:
    asked = [(PULL, it.code) for it in (reconciliation.a, reconciliation.b)]
    return schedules_of([*asked, (RUN, reconciliation.code), (TRAIN, reconciliation.code)])


def _with_referred(record_type: RecordType) -> Iterator[tuple[RecordType, list[Field]]]:
    """The record type with its fields, after those that it refers to."""
    own = record_type.opened_fields()
    yield from {it.refers_to: (it.refers_to, it.attributes) for it in own if it.refers_to is not None}.values()
    yield record_type, own


def record_type_document(record_type: RecordType, of: Iterable[Field]) -> dict[str, object]:
    """A record type as the definition has it."""
    fields = {}
    for field in of:
        document: dict[str, object] = {"type": field.kind}
        if field.is_key:
            document["key"] = True
        if field.kind == "decimal":
            document |= {"digits": field.digits, "places": field.places}
        if field.refers_to is not None:
            document["to"] = field.refers_to.code
        document |= {key: value for key in ("choices", "label", "sensitive") if (value := getattr(field, key))}
        fields[field.code] = document
    label = {"label": record_type.label} if record_type.label else {}
    return {**label, "fields": fields}


def _source(source: Source, schedules: Schedules) -> dict[str, object]:
    document: dict[str, object] = {
        "record_type": source.record_type.code,
        "kind": source.kind,
        "delivers": source.delivers,
    }
    for key in ("label", "business_date", "format", "connection"):
        if value := getattr(source, key):
            document[key] = value
    if source.calendar:
        document["calendar"] = source.calendar.code
    if source.raw_days is not None:
        document["retention"] = {"raw_days": source.raw_days}
    document |= schedule_document(schedules.get((PULL, source.code))) | deadline_document(source)
    document["mapping"] = source.mappings.all()[0].document
    translations: dict[str, dict[str, str]] = {}
    for entry in source.translations.all():
        translations.setdefault(entry.field, {})[entry.a_value] = entry.b_value
    return document | ({"translations": translations} if translations else {})


def _reconciliation(reconciliation: Reconciliation, schedules: Schedules) -> dict[str, object]:
    document: dict[str, object] = {"a": reconciliation.a.code, "b": reconciliation.b.code}
    if reconciliation.label:
        document["label"] = reconciliation.label
    for key in ("calendar", "team"):
        if (value := getattr(reconciliation, key)) is not None:
            document[key] = value.code
    if scope := scope_document(reconciliation):
        document["scope"] = scope
    if reconciliation.four_eyes:
        document["four_eyes"] = True
    runs = {"on_arrival": True} if reconciliation.runs_on_arrival else {}
    runs |= schedule_document(schedules.get((RUN, reconciliation.code)))
    document |= reconciliation.rules | ({"runs": runs} if runs else {})
    return document | training_document(reconciliation, schedules.get((TRAIN, reconciliation.code)))


def _teams(reconciliation: Reconciliation) -> dict[str, object]:
    """The team, and those that see a part."""
    seeing = Team.objects.filter(scopes__reconciliation=reconciliation).distinct() if reconciliation.scope else ()
    found = {it.code: it for it in (reconciliation.team, *seeing) if it is not None}
    return {code: {"label": found[code].label} for code in sorted(found)}


def _calendar(calendar: Calendar) -> dict[str, object]:
    named = {
        f"{holiday.day:%Y-%m-%d}": holiday.name for holiday in sorted(calendar.holidays.all(), key=lambda it: it.day)
    }
    holidays = named if any(named.values()) else list(named)
    document: dict[str, object] = {"weekend": [WEEKDAYS[day - 1] for day in calendar.weekend], "holidays": holidays}
    return document | ({"label": calendar.label} if calendar.label else {})


def _added_reasons() -> dict[str, object]:
    """The reasons that an installation does not have by itself, or has otherwise."""
    seed = {code: (label, functional, True, "") for code, label, functional in SEED}
    reasons = Reason.objects.order_by("code")
    added = [it for it in reasons if seed.get(it.code) != (it.label, it.functional, it.active, it.description)]
    return {it.code: _reason(it) for it in added}


def _reason(reason: Reason) -> dict[str, object]:
    document: dict[str, object] = {"label": reason.label, "functional": reason.functional, "active": reason.active}
    return document | ({"description": reason.description} if reason.description else {})
