"""Guessing passwords: beside the limit of a name from an address, one of an address whatever the names, since a guess at each of many
names is a guess, too."""

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
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
    recent = AccessAttempt.objects.filter(ip_address=address, attempt_time__gte=get_cool_off_threshold(request))
    failures = recent.aggregate(of_all=Sum("failures_since_start"))["of_all"] or 0
    return bool(failures >= settings.ADDRESS_FAILURES)
