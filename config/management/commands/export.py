"""Export what a run found."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import CommandError

from config.command import QuickCommand
from config.doors import command_user
from reconciliation.models import Run
from review.exporting import export_here
from review.exports import TABLES, BadExport
from review.ids import id_of


class Command(QuickCommand):
    help = "Export records, breaks, differences, quarantine, store or statement of a run, in the format of the file's suffix."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """WHAT --run N --to FILE."""
        parser.add_argument("what", metavar="WHAT", help=", ".join(TABLES))
        parser.add_argument("--run", required=True, help="a number, or latest")
        parser.add_argument("--to", required=True, type=Path)

    def handle(self, *, what: str, run: str, to: Path, **_: object) -> None:
        """One line with how much was written."""
        done = Run.objects.filter(state=Run.State.DONE)
        found = done.order_by("-id").first() if run == "latest" else done.filter(pk=id_of(run)).first()
        if found is None:
            raise CommandError(f"There is no run {run} that has ended.")
        try:
            made = export_here(what, found, to, command_user())
        except (BadExport, OSError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{made.rows} lines of run {found.pk} written to {to}.")
