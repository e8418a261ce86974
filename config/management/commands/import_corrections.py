"""Import labels: reasons that people confirmed elsewhere."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import CommandError

from attribution.label_import import BadLabels, import_labels
from config.command import QuickCommand
from config.doors import COMMAND


class Command(QuickCommand):
    help = (
        "Import labels (CSV with the columns reconciliation, key, field and reason) for training; all of them, or none."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE, and whether to say only what would be."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would be imported, import nothing")

    def handle(self, *, file: Path, dry_run: bool = False, **_: object) -> None:
        """One line with what was written."""
        try:
            done = import_labels(file=file, by=COMMAND, dry_run=dry_run)
        except BadLabels as error:
            raise CommandError(f"{error}\nNothing was imported.") from None
        self.stdout.write(
            f"{done.written:,} labels {'to import' if dry_run else 'imported'}, {done.known:,} were known."
        )
        if done.waiting:
            self.stdout.write(f"{done.waiting:,} of them contradict the model and wait for a second opinion.")
        if done.kept:
            self.stderr.write(
                f"{done.kept:,} contradict a decision or a second opinion that was given here, which stands."
            )
