"""Locked sign-ins: who is locked out, from where, and since when; deleting the line unlocks."""

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone

from ingestion.audit_log import record_event
from review.guessing import failures_from


@admin.register(AccessAttempt)
class LockAdmin(admin.ModelAdmin):
    """Failed sign-ins of a name from an address. One with as many failures as are allowed is locked until its time is over."""

    actions = None
    list_display = ("username", "ip_address", "failures_since_start", "attempt_time", "locked")
    search_fields = ("username", "ip_address")
    fields = readonly_fields = ("username", "ip_address", "failures_since_start", "attempt_time")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never."""
        return False

    def delete_model(self, request: HttpRequest, obj: AccessAttempt) -> None:
        """Unlock, and tell of it."""
        record_event("session.unlocked", of="session", by=request.user, name=obj.username or "")
        super().delete_model(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessAttempt]:
        """Each with all that failed lately from its address."""
        failures = failures_from(OuterRef("ip_address"), timezone.now() - settings.AXES_COOLOFF_TIME)
        return super().get_queryset(request).annotate(from_there=Subquery(failures))

    @admin.display(description="locked until (UTC)")
    def locked(self, attempt: AccessAttempt) -> str:
        """Until when sign-ins of the name, or of all names, are refused unseen from there; `no` where they are not."""
        until = attempt.attempt_time + settings.AXES_COOLOFF_TIME
        if until <= timezone.now():
            return "no"
        if (attempt.from_there or 0) >= settings.ADDRESS_FAILURES:
            return f"{until:%H:%M}, all names"
        return f"{until:%H:%M}" if attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT else "no"
