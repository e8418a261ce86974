"""Bring the diagram of docs/schema.md up to date."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from config.schema_diagram import write_schema


class Command(BaseCommand):
    help = "Generate the entity-relationship diagram of docs/schema.md from the models."

    def handle(self, **_: object) -> None:
        """Say whether anything changed."""
        path = Path(settings.BASE_DIR) / "docs" / "schema.md"
        self.stdout.write(f"{path.name} was {'brought up to date' if write_schema(path) else 'up to date'}.")
