"""What waits, as the admin's first page says it: each with its count, and the list that it leads to."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from ingestion.models import ClaimedWork, MappingProposal, Normalization
from ingestion.person import person_of
from ingestion.quarantine import OPEN, in_state
from ingestion.uploads import all_staged
from reconciliation.models import Run
from reconciliation.visibility import visible_sources
from review.audits import waiting_for
from review.inbox import unread_of
from review.models import ApiToken
from review.proposals import visible_proposals
from review.quarantined import visible_rows
from review.rights import DECIDES
from review.visible import asked_opinions, waiting_breaks
from review.work import number_of, open_proposals

ENDS_SOON = dt.timedelta(days=14)


@dataclass(frozen=True)
class Waits:
    """So many things of a sort, where they are listed, and what may be done with them."""

    title: str
    count: int
    url: str
    remedy: str


def what_waits(request: HttpRequest) -> list[Waits]:
    """Everything that the user may see and that is not done, in a few queries."""
    user, told = person_of(request), _counted(request)
    lists = [
        ("Breaks in review", waiting_breaks(request), "queue", "", "decide them"),
        ("Proposed decisions", told.get("proposed", 0), "proposed", "", "a second person confirms them"),
        ("Second opinions", asked_opinions(request), "second_opinions", "", "say which label is right"),
        ("Blind audits", told.get("audits", 0), "blind_audits", "", "say what it is, without the model's word"),
        ("Runs at work", told.get("active", 0), "admin:reconciliation_run_changelist", "", "follow them"),
        ("Uploads of yours", len(all_staged(user.username)), "admin:upload", "", "accept or discard them"),
        ("Files that could not be read", told.get("unread", 0), "deliveries", "?state=failed", "mend the mapping or the file"),
        ("Mapping versions proposed", told.get("mappings", 0), "deliveries", "", "accept or refuse them"),
        ("Quarantined rows", told.get("rows", 0), "quarantine", "", "repair or dismiss them"),
        ("Alerts not read", told.get("not_read", 0), "alerts", "", "read them"),
        ("Locked sign-ins", told.get("locked", 0), "admin:axes_accessattempt_changelist", "", "unlock them, or let their time pass"),
        ("Tokens that end within two weeks", told.get("tokens", 0), "admin:review_apitoken_changelist", "", "make others"),
    ]  # fmt: skip
    return [Waits(title, count, reverse(name) + query, remedy) for title, count, name, query, remedy in lists if count]


def _counted(request: HttpRequest) -> dict[str, Any]:
    """All that is counted in the database, in one query; what the user has no right for is left out."""
    user, now = person_of(request), timezone.now()
    rights: dict[str, tuple[str, QuerySet[Any]]] = {
        "proposed": (DECIDES, open_proposals(request)),
        "audits": ("attribution.add_auditanswer", waiting_for(user)),
        "active": ("reconciliation.view_run", Run.objects.visible_to(user).filter(state__in=Run.ACTIVE_STATES)),
        "unread": ("ingestion.view_delivery", _unread(user)),
        "mappings": ("ingestion.view_mapping", visible_proposals(user).filter(state=MappingProposal.State.OPEN)),
        "rows": ("ingestion.view_quarantinedrow", in_state(visible_rows(user), OPEN).select_related(None)),
        "not_read": ("ingestion.view_alert", unread_of(user)),
        "locked": ("axes.view_accessattempt", _locked(now)),
        "tokens": ("review.view_apitoken", ApiToken.objects.filter(expires_at__range=(now, now + ENDS_SOON))),
    }
    wanted = {name: number_of(rows) for name, (right, rows) in rights.items() if user.has_perm(right)}
    return User.objects.filter(pk=user.pk).values(**wanted).get() if wanted else {}  # type: ignore[return-value]


def _unread(user: User) -> QuerySet[Normalization]:
    return Normalization.objects.filter(delivery__source__in=visible_sources(user), state=ClaimedWork.State.FAILED)


def _locked(now: dt.datetime) -> QuerySet[AccessAttempt]:
    return AccessAttempt.objects.filter(
        failures_since_start__gte=settings.AXES_FAILURE_LIMIT, attempt_time__gt=now - settings.AXES_COOLOFF_TIME
    )
