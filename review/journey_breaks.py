"""The part of a journey that people and the gate decide: breaks with what was said of them, audits, decisions and their undoing."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, Exists, FilteredRelation, OuterRef, Prefetch, QuerySet
from django.db.models.functions import Cast, JSONObject

from attribution.certificates import told
from attribution.models import AuditAnswer, Certificate, Draw, ModelVersion
from ingestion.models import AuditEvent
from ingestion.prepared import TEXT, prepared
from reconciliation.holds import HELD
from reconciliation.models import Break, Difference, GateRefusal, Hold, Member, Reconciliation, Run
from reconciliation.waiting import WAITING
from review.journey_events import Change, Event
from review.listed import listed, moment
from review.models import Comment, Decision, DecisionValue, Waiver
from review.models.decision import DONE

AUDITED = {True: "the pass was right", False: "the pass was wrong", None: "nobody can tell its cause"}


def breaks_of(reconciliations: Sequence[Reconciliation], key: str) -> list[Break]:
    """The key's breaks with all that was ever said and decided about them; `told` is a difference for each attribution, and what
    hangs on a break is a list of its values by name, so that few queries bring it all."""
    ids = tuple(it.pk for it in reconciliations)
    return prepared(("breaks of a key", ids), lambda: _breaks_of(ids), {TEXT: key})


def _breaks_of(ids: Sequence[int]) -> QuerySet[Break]:
    said = Difference.objects.annotate(said=FilteredRelation("attributions"))
    said = said.select_related("said__run__rule_set", "run__rule_set").order_by("said__id", "id")  # type: ignore[misc]
    given = DecisionValue.objects.filter(decision=OuterRef("pk")).order_by("field")
    decisions = Decision.objects.select_related("proposed_by", "confirmed_by", "undone_by").order_by("id")
    decisions = decisions.annotate(given=ArraySubquery(given.values(told=JSONObject(field="field", value="value"))))
    found = Break.objects.filter(reconciliation__in=ids, key=TEXT)
    found = found.select_related("last_run__rule_set", "opened_run__rule_set")
    found = found.annotate(
        held=_listed(GateRefusal.objects.all(), "sentence", "detail", "run", at="run__finished_at", began="run__created_at"),
        waived=_listed(Waiver.objects.all(), "condition", "comment", by="waived_by__username", at="waived_at"),
        audits=_listed(_answers(), "number", "functional", "counts", "comment", by="answered_by__username", at="answered_at",
                       run="draw__run", drawn="draw__drawn_at", chance="draw__probability", draw="draw__pk"),
        rows=_listed(Member.objects.all(), "side", "delivery", "record_number", "record", "raw", "flags"),
        holds_told=holds_of_break(),
        comments_told=_listed(Comment.objects.all(), "text", "written_at", "withdrawn_at", by="written_by__username",
                              withdrawn_by="withdrawn_by__username"),
        assigned_told=assignments_of_break(),
        certificates=_certificates(),
    )  # fmt: skip
    found = found.prefetch_related(Prefetch("differences", said, to_attr="told"), Prefetch("decisions", decisions))
    return found.order_by("id")


def _listed(rows: QuerySet[Any], *names: str, **named: str) -> ArraySubquery:
    """The rows of a break as objects of these values, in the order of their ids."""
    path = "draw__brk" if rows.model is AuditAnswer else "brk"
    return listed(rows.filter(**{path: OuterRef("pk")}).order_by("pk"), *names, **named)


def holds_of_break() -> ArraySubquery:
    """A break's holds, as objects."""
    names = ("until", "party", "note", "held_at", "ended_at", "ended_because")
    return _listed(Hold.objects.all(), *names, by="held_by__username", ended_by="ended_by__username")


def assignments_of_break() -> ArraySubquery:
    """To whom a break was given, as objects; the audit log alone keeps it."""
    of = AuditEvent.objects.filter(
        kind=Break._meta.verbose_name, object_id=Cast(OuterRef("pk"), CharField()), action="break.assigned"
    )
    return listed(of.order_by("pk"), "at", "before", "after", by="actor_name")


def hold_of(it: Mapping[str, Any]) -> Hold:
    """A hold that was read as an object."""
    until = moment(it["until"]) if it["until"] else None
    return Hold(pk=it["id"], until=until, party=it["party"], note=it["note"], held_at=moment(it["held_at"]))


def _answers() -> QuerySet[AuditAnswer]:
    """Those of audits that have ended: who answers one must not know what another person said."""
    ended = AuditAnswer.objects.filter(draw=OuterRef("draw"), counts=True)
    return AuditAnswer.objects.filter(Exists(ended), draw__purpose=Draw.Purpose.AUDIT)


def _certificates() -> ArraySubquery:
    """The certificates that runs pinned while the break lived."""
    runs = Run.objects.filter(
        reconciliation=OuterRef(OuterRef("reconciliation")),
        pk__gte=OuterRef(OuterRef("opened_run")),
        pk__lte=OuterRef(OuterRef("last_run")),
    )
    pinned = Certificate.objects.filter(pk__in=runs.values("certificate")).order_by("pk")
    names = ("threshold", "upper", "errors", "sample_size", "valid_until")
    values = {"id": "pk", "version": "model_version__version", **{name: name for name in names}}
    return ArraySubquery(pinned.values(told=JSONObject(**values)))


def members_of(breaks: Sequence[Break]) -> dict[tuple[int, int], Member]:
    """The rows that stand in breaks by delivery and record number, as far as a journey shows them."""
    return {
        (it["delivery"], it["record_number"]): Member(record=it["record"], raw=it["raw"], flags=it["flags"])
        for brk in breaks
        for it in brk.rows  # type: ignore[attr-defined]
    }


def episode(brk: Break, reconciliation: Reconciliation) -> Iterator[Event]:
    """The life of a break."""
    yield from _found(brk)
    for difference in brk.told:  # type: ignore[attr-defined]
        if getattr(difference, "said", None) is not None:
            yield _reasoned(difference)
    for it in brk.held:  # type: ignore[attr-defined]
        yield Event(moment(it["at"] or it["began"]), "gate", f"Held by the gate. {it['sentence']}", it["detail"],
                    f"run {it['run']}", what="held", about=str(it["id"]), tone="warn", url=f"/runs/{it['run']}/")  # fmt: skip
    for it in brk.waived:  # type: ignore[attr-defined]
        title = f"Check {it['condition'].removeprefix('check:').replace(':', ' ')} waived"
        yield Event(
            moment(it["at"]), "user", title, it["comment"], it["by"], what="waived", about=str(it["id"]), tone="acc"
        )
    yield from _audited(brk, reconciliation)
    yield from care_events(brk)
    yield from _commented(brk)
    for decision in brk.decisions.all():
        yield from _decided(decision)
    yield from _closed(brk, reconciliation)


def _found(brk: Break) -> Iterator[Event]:
    """Opened, and found with other values by later runs."""
    by_run: dict[int, dict[int, Difference]] = {}
    for it in brk.told:  # type: ignore[attr-defined]
        by_run.setdefault(it.run_id, {})[it.pk] = it
    opened = by_run.pop(brk.opened_run_id, {})
    kind = brk.get_kind_display()
    title = f"Break opened: {kind[:1].lower()}{kind[1:]}"
    who = f"run {brk.opened_run_id}, rule set {brk.opened_run.rule_set.version}"
    yield Event(brk.opened_at, "split", title, who=who, url=brk.get_absolute_url(), what="opened", about=str(brk.pk),
                tone="warn", changes=_values(opened), heads=("Field", "A", "B"))  # fmt: skip
    for run, found in sorted(by_run.items()):
        by = next(iter(found.values())).run
        title = "Differs anew: " + ", ".join(_field(it) for it in found.values())
        yield Event(by.finished_at or by.created_at, "split", title, who=f"run {run}, rule set {by.rule_set.version}",
                    url=brk.get_absolute_url(), what="differed", about=f"{brk.pk}-{run}", tone="warn",
                    changes=_values(found), heads=("Field", "A", "B"))  # fmt: skip


def _values(found: Mapping[int, Difference]) -> list[Change]:
    cells = sorted((it for it in found.values() if it.field != Difference.ROW), key=lambda it: it.pk)
    return [Change(it.field, it.value_a, it.value_b) for it in cells]


def _field(difference: Difference) -> str:
    return "whole row" if difference.field == Difference.ROW else difference.field


def _reasoned(difference: Difference) -> Event:
    said = difference.said  # type: ignore[attr-defined]
    title = f"{_field(difference)}: {said.reason_id}, {said.confidence * 100:.0f} %"
    return Event(said.assigned_at, "spark", title, said.proof, said.assigned_by.replace(":", " "), what="explained",
                 about=str(said.pk))  # fmt: skip


def _audited(brk: Break, reconciliation: Reconciliation) -> Iterator[Event]:
    """Blind audits that have ended. What they took back had passed before, which nothing else tells any more."""
    seen = set()
    for it in brk.audits:  # type: ignore[attr-defined]
        if it["draw"] not in seen and brk.closed_because != "passed the gate":
            yield _passed(brk, reconciliation, _run(brk, it["run"]), moment(it["drawn"]))
        seen.add(it["draw"])
        title = f"Blind audit: {AUDITED[it['functional']]}"
        detail = f"Chance drew it with probability {Decimal(str(it['chance'])).normalize():f}."
        if not it["counts"]:
            detail += " A second person was asked."
        yield Event(moment(it["at"]), "user", title, f"{detail} {it['comment']}".strip(), it["by"], what="audited",
                    about=str(it["id"]), tone="ok" if it["functional"] else "warn")  # fmt: skip


def care_events(brk: Break) -> Iterator[Event]:
    """Given to people, put on hold and shown again."""
    for it in brk.assigned_told:  # type: ignore[attr-defined]
        whom, before = it["after"]["assignee"] or "nobody", it["before"]["assignee"]
        detail = f"It was with {before}." if before else ""
        yield Event(moment(it["at"]), "user", f"Assigned to {whom}", detail, it["by"], what="assigned", about=str(it["id"]),
                    url=brk.get_absolute_url())  # fmt: skip
    for it in brk.holds_told:  # type: ignore[attr-defined]
        common: dict[str, Any] = {"url": brk.get_absolute_url(), "about": str(it["id"])}
        title = f"On hold {hold_of(it).awaits}"
        yield Event(moment(it["held_at"]), "clock", title, it["note"], it["by"], what="on-hold", tone="warn", **common)
        if it["ended_at"] is not None:
            who = it["ended_by"] or "by itself"
            yield Event(
                moment(it["ended_at"]), "play", f"Off hold: {it['ended_because']}", "", who, what="off-hold", **common
            )


def _commented(brk: Break) -> Iterator[Event]:
    """What people said of it; of what was taken back, that it was."""
    for it in brk.comments_told:  # type: ignore[attr-defined]
        common: dict[str, Any] = {"url": f"{brk.get_absolute_url()}#comment-{it['id']}", "about": str(it["id"])}
        text = "" if it["withdrawn_at"] else it["text"]
        yield Event(moment(it["written_at"]), "chat", "Comment", text, it["by"], what="said", **common)
        if it["withdrawn_at"]:
            at, by = moment(it["withdrawn_at"]), it["withdrawn_by"]
            yield Event(at, "chat", "Comment withdrawn", "", by, what="unsaid", **common)


def _decided(decision: Decision) -> Iterator[Event]:
    changes = [Change(it["field"], None, it["value"]) for it in decision.given]  # type: ignore[attr-defined]
    common: dict[str, Any] = {
        "url": f"/breaks/{decision.brk_id}/", "about": str(decision.pk), "tone": "acc", "changes": changes,
        "heads": ("Field", "", "Given"),
    }  # fmt: skip
    is_two = decision.four_eyes and decision.confirmed_at is not None
    if is_two:
        as_what = f" as {decision.reason}" if decision.reason else ""
        title = f"{DONE[decision.action][1]} proposed{as_what}"
        yield Event(
            decision.proposed_at, "user", title, decision.comment, str(decision.proposed_by), what="proposed", **common
        )
    at, who = decision.confirmed_at or decision.proposed_at, decision.confirmed_by or decision.proposed_by
    title = decision.told.removesuffix(", undone")  # the next step says it
    detail = "Confirmed as second person." if is_two else decision.comment
    yield Event(at, "user", title, detail, str(who), what="decided", **common)
    if decision.undone_at is not None:
        title = f"Decision {decision.pk} undone, back in review"
        yield Event(decision.undone_at, "user", title, decision.undo_comment or "", str(decision.undone_by), what="undone",
                    url=common["url"], about=str(decision.pk), tone="warn")  # fmt: skip


def _closed(brk: Break, reconciliation: Reconciliation) -> Iterator[Event]:
    if brk.closed_at is None or brk.closed_because.startswith("decision"):  # the decision says it
        return
    if brk.state == Break.State.PASSED:
        judged = [it.said.run for it in brk.told if it.said is not None and it.said.assigned_at <= brk.closed_at]  # type: ignore[attr-defined]
        yield _passed(brk, reconciliation, max(judged, key=lambda it: it.pk, default=brk.last_run), brk.closed_at)
        return
    yield Event(brk.closed_at, "check", f"Break {brk.get_state_display().lower()}", brk.closed_because,
                f"run {brk.last_run_id}", what="closed", about=str(brk.pk))  # fmt: skip


def _passed(brk: Break, reconciliation: Reconciliation, run: Run, at: dt.datetime) -> Event:
    """The gate let it through: by which rule set, model and certificate."""
    who = f"run {run.pk}, rule set {run.rule_set.version}" + (
        f", model {run.model_version}" if run.model_version else ""
    )
    pinned = next((it for it in brk.certificates if it["id"] == run.certificate), None)  # type: ignore[attr-defined]
    detail = f"Certificate {pinned['id']}: {certified(pinned, reconciliation)}" if pinned else ""
    return Event(at, "gate", "Passed the gate", detail, who, url=f"/runs/{run.pk}/", what="passed",
                 about=f"{brk.pk}-{run.pk}", tone="ok")  # fmt: skip


def certified(it: Mapping[str, Any], reconciliation: Reconciliation) -> str:
    """What a certificate says, in one line, from its values by name."""
    model = ModelVersion(version=it["version"], reconciliation=reconciliation)
    numbers = {name: Decimal(str(it[name])) for name in ("threshold", "upper")}
    return told(
        Certificate(
            model_version=model, errors=it["errors"], sample_size=it["sample_size"], valid_until=moment(it["valid_until"]),
            **numbers,
        )
    )  # fmt: skip


def _run(brk: Break, pk: int) -> Run:
    known = [brk.opened_run, brk.last_run, *(it.said.run for it in brk.told if it.said is not None)]  # type: ignore[attr-defined]
    return next((it for it in known if it.pk == pk), brk.last_run)


def state_words(state: str, band: str) -> tuple[str, str]:
    """Where a break in a state and band stands, as people say it, and the tone of it."""
    if state == Break.State.REVIEW and band == WAITING:
        return "Waiting for a partner", ""
    if state == Break.State.REVIEW and band == HELD:
        return "On hold", ""
    stored = (Break.State.PASSED, Break.State.APPROVED)
    return Break.State(state).label, "ok" if state in stored else "warn" if state in Break.OPEN_STATES else ""
