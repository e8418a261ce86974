"""Locked sign-ins: who is locked out, from where, and since when; deleting the line unlocks."""

import datetime as dt

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest

from ingestion.audit_log import record_event


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

    @admin.display(description="locked until (UTC)")
    def locked(self, attempt: AccessAttempt) -> str:
        """Until when sign-ins are refused unseen; `no` where they are not."""
        until = attempt.attempt_time + settings.AXES_COOLOFF_TIME
        is_locked = attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT and until > dt.datetime.now(dt.UTC)
        return f"{until:%H:%M}" if is_locked else "no"
