"""Who looks after a break, on its page and beside the queue."""

import datetime as dt
from typing import Any

from django import template
from django.utils import timezone

from reconciliation.due_times import DAY
from reconciliation.holds import HELD
from reconciliation.models import Break
from review import due
from review.journey_breaks import hold_of
from review.rights import DECIDES

register = template.Library()


@register.filter
def countdown(due_at: dt.datetime) -> str:
    """How far a due time is away, now."""
    return due.countdown(due_at, timezone.now())


@register.filter
def is_over(due_at: dt.datetime) -> bool:
    """Whether a due time is over."""
    return due_at <= timezone.now()


@register.inclusion_tag("review/break/care.html", takes_context=True)
def care(context: template.Context, brk: Break) -> dict[str, Any]:
    """Whose it is, and the buttons that give it to somebody or put it on hold."""
    user = context["request"].user
    standing = next((it for it in brk.holds_told if it["ended_at"] is None), None)  # type: ignore[attr-defined]
    return {
        "is_held": brk.state == Break.State.REVIEW and brk.band == HELD,
        "hold": standing and hold_of(standing),
        "tomorrow": (timezone.now().date() + DAY).isoformat(),
        "brk": brk,
        "user": user,
        "csrf_token": context.get("csrf_token"),
        "may": brk.state == Break.State.REVIEW and user.has_perm(DECIDES),
        "is_mine": brk.assignee_id is not None and brk.assignee_id == user.pk,
    }


register.inclusion_tag("review/break/care_brief.html", takes_context=True, name="care_brief")(care)
