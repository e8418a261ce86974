"""The reconciliation app."""

from django.apps import AppConfig


class ReconciliationConfig(AppConfig):
    name = "reconciliation"

    def ready(self) -> None:
        """Put this app's rows under custody, and let alerts know its teams."""
        from ingestion.alerts import teams_by
        from reconciliation import custody  # noqa: F401
        from reconciliation.visibility import teams_of

        teams_by(teams_of)
