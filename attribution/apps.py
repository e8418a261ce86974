"""The attribution app."""

from django.apps import AppConfig


class AttributionConfig(AppConfig):
    name = "attribution"

    def ready(self) -> None:
        """Put this app's rows under custody, its reasons into every frozen rule set, and its champion into every run."""
        from attribution import custody  # noqa: F401
        from attribution.context import reasons_of
        from attribution.registry import pinned_code
        from reconciliation.rule_sets import contribute
        from reconciliation.runs import pin_model

        contribute(reasons_of)
        pin_model(pinned_code)
