"""Passwords in the audit log: that one was set, and for whom, whatever door it came through."""

from django.contrib.auth.models import User
from django.db.models import Model

from ingestion.audit_log import record_event


class Recorded:
    """A password validator that refuses nothing: Django calls `password_changed` of each as a password is saved."""

    def validate(self, password: str, user: Model | None = None) -> None:
        """Every password is one."""

    def get_help_text(self) -> str:
        """Nothing to say to who chooses one."""
        return ""

    def password_changed(self, password: str, user: User) -> None:
        """Tell of it; never what it is."""
        record_event("password.changed", of=user)
