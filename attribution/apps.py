"""The attribution app."""

from django.apps import AppConfig


class AttributionConfig(AppConfig):
    name = "attribution"

    def ready(self) -> None:
        """Put this app's rows under custody, and its reasons into every frozen rule set."""
        from attribution import custody  # noqa: F401
        from attribution.context import reasons_of
        from reconciliation.rule_sets import contribute

        contribute(reasons_of)
