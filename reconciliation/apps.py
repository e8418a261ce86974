"""The reconciliation app."""

from django.apps import AppConfig


class ReconciliationConfig(AppConfig):
    name = "reconciliation"

    def ready(self) -> None:
        """Put this app's rows under custody."""
        from reconciliation import custody  # noqa: F401
