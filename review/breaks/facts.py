"""What is known of a break beside its values, brought by one query: what the gate holds against it, what was said of it, what the
audit log tells, the other episodes of its key, and by which model and certificate it was judged."""

from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.http import HttpRequest

from attribution.models import Attribution, Certificate, Reason
from ingestion.models import AuditEvent
from ingestion.prepared import OTHER_PK, OTHER_TEXT, PK, TEXT, THIRD_TEXT, prepared
from reconciliation.models import Break, GateRefusal
from reconciliation.models.reconciliation import SEES_ALL
from review.audit_events import READS, visible_events
from review.listed import listed
from review.models import Comment, Decision, Mention, Waiver
from review.visible import access, visible_breaks

EPISODES, EVENTS = 20, 20  # the newest of each


@dataclass
class Refusal:
    """A condition of the gate that held the break back; `waived` is why a Manager let it be."""

    id: int
    condition: str
    sentence: str
    detail: str
    waived: str | None
    may_waive: bool = False


@dataclass(frozen=True)
class Facts:
    """What hangs on a break, as lists of values by name; `judged` is the run whose word stands, with model and certificate."""

    refusals: list[Refusal]
    reasons: list[str]
    comments: list[dict[str, Any]]
    episodes: list[dict[str, Any]]
    events: list[dict[str, Any]]
    judged: dict[str, Any] | None


def facts_of(request: HttpRequest, brk: Break) -> Facts:
    """All of it, in one query."""
    of: dict[object, int | str] = {
        PK: brk.pk,
        TEXT: brk.fingerprint,
        OTHER_PK: brk.reconciliation_id,
        OTHER_TEXT: brk.key,
        THIRD_TEXT: str(brk.pk),
    }
    reads = request.user.has_perm(READS), request.user.has_perm(SEES_ALL)
    ((refusals, *lists, judged),) = prepared(("facts", reads, access(request)), lambda: _facts(request), of)
    may = request.user.has_perm("review.waive_check") and brk.state == Break.State.REVIEW
    held = [Refusal(**it) for it in refusals]
    for it in held:
        it.may_waive = may and it.condition.startswith("check:") and not it.waived
    reasons, comments, episodes, events = (it or [] for it in lists)  # of who reads no log the events are null
    return Facts(held, reasons, comments, episodes, events, judged)


def _facts(request: HttpRequest) -> "QuerySet[Break, tuple[Any, ...]]":
    return Break.objects.filter(pk=PK).values_list(
        _refusals(), _reasons(), comments_listed(), _episodes(request), _events(request), _judged()
    )


def _refusals() -> ArraySubquery:
    waivers = Waiver.objects.filter(brk=PK, fingerprint=TEXT, condition=OuterRef("condition"))
    current = GateRefusal.objects.filter(brk=OuterRef("pk"), current=True).order_by("pk")
    return listed(current, "condition", "sentence", "detail", waived=Subquery(waivers.values("comment")[:1]))


def _reasons() -> ArraySubquery:
    return ArraySubquery(Reason.objects.filter(active=True).exclude(code="UNKNOWN").order_by("code").values("code"))


def comments_listed() -> ArraySubquery:
    """What was said of a break, oldest first."""
    names = Mention.objects.filter(comment=OuterRef("pk")).order_by("pk").values("person__username")
    later = Comment.objects.filter(corrects=OuterRef("pk")).values("pk")
    return listed(
        Comment.objects.filter(brk=OuterRef("pk")).order_by("pk"), "text", "written_at", "withdrawn_at", "corrects",
        author="written_by", written_by="written_by__username", withdrawn_by="withdrawn_by__username",
        mentions=ArraySubquery(names), corrected_by=Subquery(later[:1]),
    )  # fmt: skip


def _episodes(request: HttpRequest) -> ArraySubquery:
    """Every break of the key that the user may see, newest first, each with its final decision."""
    final = Decision.objects.filter(brk=OuterRef("pk"), confirmed_by__isnull=False, undone_by=None).order_by("-pk")
    same = visible_breaks(request).filter(reconciliation=OTHER_PK, key=OTHER_TEXT)
    told = JSONObject(action="action", reason="reason", by="confirmed_by__username", comment="comment")
    return listed(
        same.order_by("-pk")[:EPISODES], "kind", "state", "band", "reason", "opened_at", "closed_at", "closed_because",
        opened="opened_run__business_date", run="opened_run_id", last="last_run_id", decided=Subquery(final.values(it=told)[:1]),
    )  # fmt: skip


def _events(request: HttpRequest) -> ArraySubquery:
    """The newest events about the break, for who reads the audit log."""
    seen: QuerySet[AuditEvent] = AuditEvent.objects.none()
    if request.user.has_perm(READS):
        seen = visible_events(request.user).filter(kind=Break._meta.verbose_name, object_id=THIRD_TEXT)
    return listed(seen[:EVENTS], "sequence", "at", "actor_name", "action", "door", "after", "hash")


def _judged() -> Subquery:
    """The run whose word on the differences stands, with what it pinned."""
    certificate = Certificate.objects.filter(pk=OuterRef("run__certificate"))
    names = ("threshold", "upper", "errors", "sample_size", "valid_until")
    pinned = JSONObject(id="pk", version="model_version__version", **{name: name for name in names})
    word = Attribution.objects.filter(difference__brk=OuterRef("pk"), current=True).order_by("-run", "-pk")
    told = JSONObject(
        run="run_id", model="run__model_version", rule_set="run__rule_set__version",
        certificate=Subquery(certificate.values(it=pinned)[:1]),
    )  # fmt: skip
    return Subquery(word.values(it=told)[:1])
