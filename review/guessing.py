"""Guessing passwords: beside the limit of a name from an address, one of an address whatever the names, since a guess at each of many
names is a guess, too."""

import datetime as dt
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import OuterRef, QuerySet, Sum
from django.http import HttpRequest


class Handler(AxesDatabaseHandler):
    """Counts as django-axes does, and all failures from where a request comes."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, object] | None = None) -> int:
        """Failed sign-ins of the name from the address; as many as lock it where the whole address is locked."""
        failures: int = super().get_failures(request, credentials)
        if failures < settings.AXES_FAILURE_LIMIT and is_locked_address(request):
            request.all_names_locked = True  # type: ignore[attr-defined]
            return settings.AXES_FAILURE_LIMIT
        return failures


def is_locked_address(request: HttpRequest) -> bool:
    """Whether too many sign-ins failed from there; never where no address is known."""
    address = request.axes_ip_address  # type: ignore[attr-defined]
    if address is None:
        return False
    failures = sum(it["of_all"] for it in failures_from(address, get_cool_off_threshold(request)))
    return bool(failures >= settings.ADDRESS_FAILURES)


def failures_from(address: "str | OuterRef", since: dt.datetime) -> QuerySet[Any]:
    """`of_all`: how many sign-ins of any names failed from an address since then; no row where none did."""
    recent = AccessAttempt.objects.filter(ip_address=address, attempt_time__gte=since)
    return recent.order_by().values("ip_address").annotate(of_all=Sum("failures_since_start")).values("of_all")
