"""The times of a definition: schedules, deadlines, when runs and trainings start, who is told; checked, applied and exported."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django_celery_beat.models import PeriodicTask

from config.definitions.faults import Fault
from config.definitions.rules import unknown_keys
from ingestion.alerts import target_fault
from ingestion.changes import Change, ChangeRefused
from ingestion.clock import database_now
from ingestion.connectors.kinds import PULLED
from ingestion.deadlines import MOST_AFTER, MOST_GRACE, drop_deadline, put_deadline, zones
from ingestion.models import AlertTarget, Deadline, Source
from ingestion.schedules import timetable_of
from ingestion.suggestion import nearest
from ingestion.timetable import timetable
from reconciliation.models import Reconciliation
from reconciliation.models.reconciliation import TRAINS_AFTER

Document = Mapping[str, Any]
DEADLINE = ("at", "zone", "after", "grace")
MOST_CORRECTIONS = 1_000_000
ALERT = ("email", "webhook", "secret", "sources", "team", "active")


def schedule_faults(place: str, kind: str, text: object) -> Iterator[Fault]:
    """What is wrong with a source's schedule."""
    if text is not None and kind not in PULLED:
        yield Fault(place, f"a source of kind {kind!r} hands its records over; nothing is pulled from it")
    elif text is not None:
        yield from _timetable_faults(place, text)


def _timetable_faults(place: str, text: object) -> Iterator[Fault]:
    try:
        timetable(str(text))
    except ChangeRefused as refusal:
        yield Fault(place, str(refusal).removesuffix("."))


def runs_faults(place: str, given: Any) -> Iterator[Fault]:
    """What is wrong with when a reconciliation runs."""
    given = given or {}
    yield from unknown_keys(place, given, ("on_arrival", "schedule"))
    if given.get("schedule") is not None:
        yield from _timetable_faults(f"{place}.schedule", given["schedule"])


def training_faults(place: str, given: Any) -> Iterator[Fault]:
    """What is wrong with when a reconciliation's model is trained."""
    given = given or {}
    yield from unknown_keys(place, given, ("after", "schedule", "promotes"))
    after = given.get("after", TRAINS_AFTER)
    if not isinstance(after, int) or isinstance(after, bool) or not 0 <= after <= MOST_CORRECTIONS:
        yield Fault(f"{place}.after", "it is a number of new corrections, or 0 for never")
    if given.get("schedule") is not None:
        yield from _timetable_faults(f"{place}.schedule", given["schedule"])


def training_values(given: Any) -> dict[str, Any]:
    """What a reconciliation keeps of it."""
    given = given or {}
    return {"trains_after": given.get("after", TRAINS_AFTER), "promotes_by_rule": bool(given.get("promotes"))}


def training_document(reconciliation: Reconciliation, schedule: PeriodicTask | None) -> dict[str, Any]:
    """The key `training`, where something is not as it is by itself; `schedule` is that of its trainings."""
    after = reconciliation.trains_after
    document: dict[str, Any] = {} if after == TRAINS_AFTER else {"after": after}
    document |= schedule_document(schedule)
    document |= {"promotes": True} if reconciliation.promotes_by_rule else {}
    return {"training": document} if document else {}


def deadline_faults(place: str, given: Any) -> Iterator[Fault]:
    """What is wrong with a deadline."""
    if given is None:
        return
    yield from unknown_keys(place, given, DEADLINE)
    if _time(given.get("at")) is None:
        yield Fault(f"{place}.at", 'it is a local time of 24 hours, such as "18:30"')
    if (zone := str(given.get("zone", "UTC"))) not in zones():
        yield Fault(f"{place}.zone", f"there is no time zone {zone!r}{nearest(zone, zones())}")
    for key, most, what in (("after", MOST_AFTER, "business days"), ("grace", MOST_GRACE, "minutes")):
        value = given.get(key, 0)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            yield Fault(f"{place}.{key}", f"it is a number of {what}, at most {most}")


def _time(text: object) -> dt.time | None:
    try:
        return dt.datetime.strptime(str(text), "%H:%M").time()  # noqa: DTZ007 - its zone stands beside it
    except ValueError:
        return None


def alert_faults(place: str, given: Document, sources: Collection[str], teams: Collection[str]) -> Iterator[Fault]:
    """What is wrong with a target of alerts."""
    yield from unknown_keys(place, given, ALERT)
    yield from unknown_keys(f"{place}.secret", given.get("secret") or {}, ("env",))
    for number, code in enumerate(given.get("sources") or []):
        if code not in sources:
            yield Fault(f"{place}.sources[{number}]", f"there is no source {code!r}{nearest(str(code), sources)}")
    if (team := given.get("team")) is not None and team not in teams:
        yield Fault(f"{place}.team", f"there is no team {team!r}{nearest(str(team), teams)}")
    if len({"email", "webhook"} & set(given)) != 1:
        yield Fault(place, "name one of email: ADDRESS and webhook: ADDRESS with secret: {env: TIEOUT_NAME}")
    elif sentence := target_fault(*_addressed(given)):
        yield Fault(place, sentence.removesuffix("."))


def _addressed(given: Document) -> tuple[str, str, str]:
    """Kind, address and the variable of the secret."""
    kind = AlertTarget.Kind.WEBHOOK if "webhook" in given else AlertTarget.Kind.EMAIL
    return kind, str(given.get("webhook", given.get("email"))), str((given.get("secret") or {}).get("env") or "")


def alert_values(given: Document) -> dict[str, Any]:
    """A target's values, as its service takes them."""
    kind, address, secret = _addressed(given)
    sources = list(Source.objects.filter(code__in=given.get("sources") or []))
    values = {"kind": kind, "address": address, "secret": secret, "sources": sources, "team": given.get("team")}
    return values | {"active": given.get("active", True)}


def define_deadline(source: Source, given: Any) -> list[Change]:  # noqa: ANN401 - as the file has it
    """Make a source's deadline what it is said to be; without one nothing is expected of it."""
    if not given:
        return drop_deadline(source)
    at = _time(given["at"])
    assert at is not None  # it was checked
    return put_deadline(
        source=source,
        at=at,
        zone=str(given.get("zone", "UTC")),
        after=int(given.get("after", 0)),
        grace=int(given.get("grace", 0)),
        now=database_now(),
    )


def schedule_document(schedule: PeriodicTask | None) -> dict[str, Any]:
    """The key `schedule`, where there is one."""
    return {"schedule": str(timetable_of(schedule))} if schedule is not None else {}


def deadline_document(source: Source) -> dict[str, Any]:
    """The key `deadline`, where there is one."""
    held: Deadline | None = getattr(source, "deadline", None)
    if held is None:
        return {}
    numbers = {key: value for key in ("after", "grace") if (value := getattr(held, key))}
    return {"deadline": {"at": f"{held.at:%H:%M}", "zone": held.zone, **numbers}}


def alerts_document(sources: Collection[Source]) -> dict[str, Any]:
    """The targets that hear of every source, or of none but these."""
    mine = {source.code for source in sources}
    heard = AlertTarget.sources.through.objects.filter(alerttarget=OuterRef("pk")).order_by("source__code")
    targets = AlertTarget.objects.annotate(codes=ArraySubquery(heard.values("source__code"))).order_by("code")
    return {it.code: _alert(it, it.codes) for it in targets if mine.issuperset(it.codes)}


def _alert(target: AlertTarget, codes: list[str]) -> dict[str, Any]:
    document: dict[str, Any] = {str(target.kind): target.address}
    document |= {"secret": {"env": target.secret}} if target.secret else {}
    document |= {"sources": codes} if codes else {}
    document |= {"team": target.team} if target.team else {}
    return document | ({} if target.active else {"active": False})
