"""What waits in the demo: two of the most urgent trades are on hold, one for an answer and one until a day."""

import datetime as dt

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from reconciliation.models import Break, Hold
from review.holding import hold
from review.ordering import ORDERS, shown_breaks

NOTE = "Put on hold by the demo"
LATER = dt.timedelta(days=5)


def put_aside() -> list[str]:
    """Put two on hold; what an earlier demo did is only told."""
    if not Hold.objects.filter(note=NOTE).exists():
        analyst, day = User.objects.get(username="analyst"), (timezone.now() + LATER).date()
        trades = shown_breaks(Break.objects.filter(reconciliation__code="fx_trades", assignee=None))
        urgent = ORDERS["priority"].sort(trades)[2:4]
        for brk, party, until in zip(urgent, ("Custodian", ""), (None, day), strict=False):
            hold(brk=brk, by=analyst, party=party, until=until, note=NOTE)
    return [f"{Hold.objects.filter(ended_at=None).count()} breaks are on hold: {settings.PUBLIC_URL}/queue/?state=held"]
