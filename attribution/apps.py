"""The attribution app."""

from django.apps import AppConfig


class AttributionConfig(AppConfig):
    name = "attribution"

    def ready(self) -> None:
        """Put this app's rows under custody, its reasons into every frozen rule set, its champion into every run."""
        from attribution import custody  # noqa: F401
        from attribution.artifacts import altered_models
        from attribution.certificates import pinned
        from attribution.context import reasons_of
        from reconciliation.rule_sets import contribute
        from reconciliation.runs import pin_model
        from reconciliation.verify import CHECKS

        contribute(reasons_of)
        pin_model(pinned)
        CHECKS["models as trained"] = altered_models
