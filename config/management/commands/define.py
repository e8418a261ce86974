"""Apply or export a definition."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import CommandError
from django.db import transaction

from config.command import QuickCommand
from config.definitions.apply import apply_definition
from config.definitions.export import export_definition
from config.definitions.faults import BadDefinition
from reconciliation.models import Reconciliation


class Command(QuickCommand):
    help = "Apply a definition (idempotent; prints what it changed), or export one with --export NAME."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE, or --export NAME."""
        parser.add_argument("file", nargs="?", type=Path)
        parser.add_argument("--export", metavar="NAME")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, change nothing")

    def handle(self, *, file: Path | None, export: str | None, dry_run: bool, **_: object) -> None:
        """One line per change."""
        if export:
            return self._export(export)
        if file is None:
            raise CommandError("Name a definition file, or --export NAME.")
        if not file.is_file():
            raise CommandError(f"There is no file {file}. Name a definition file, or --export NAME.")
        try:
            with transaction.atomic():
                said = apply_definition(file.read_text(encoding="utf-8-sig"), file.parent, by="command")
                transaction.set_rollback(dry_run)
        except BadDefinition as error:
            raise CommandError(f"{error}\nNothing was changed.") from None
        except UnicodeDecodeError:
            raise CommandError(f"{file} is no UTF-8 text. Nothing was changed.") from None
        for line in map(str, said) if said else ["Nothing to change."]:
            self.stdout.write(line)
        return None

    def _export(self, name: str) -> None:
        reconciliation = Reconciliation.objects.filter(code=name).first()
        if reconciliation is None:
            known = ", ".join(Reconciliation.objects.values_list("code", flat=True)) or "none"
            raise CommandError(f"There is no reconciliation {name!r}. There is {known}.")
        self.stdout.write(export_definition(reconciliation), ending="")
