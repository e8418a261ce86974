"""The app that wires."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        """Runs and bulk decisions reach the workers. After each migration the seed reasons and the roles are there."""
        from config.pipeline import ring, ring_bulk
        from review.bulk.bulks import on_bulk
        from review.pages.runs import on_start

        on_start(ring)
        on_bulk(ring_bulk)
        post_migrate.connect(_seed, sender=apps.get_app_config("review"))  # the last app with tables


def _seed(**_: object) -> None:
    from attribution.reasons import ensure_reasons
    from config.roles import ensure_roles

    ensure_reasons()
    ensure_roles()
