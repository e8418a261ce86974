"""The app that wires."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        """After each migration the seed reasons and the roles are there."""
        from config.pipeline import ring
        from review.runs import on_start

        on_start(ring)
        post_migrate.connect(_seed, sender=apps.get_app_config("review"))  # the last app with tables


def _seed(**_: object) -> None:
    from attribution.reasons import ensure_reasons
    from config.roles import ensure_roles
    from ingestion.history import begin_histories

    ensure_reasons()
    ensure_roles()
    begin_histories()
