"""A gate from the command line: where it stands, and opening it again."""

from argparse import ArgumentParser

from django.core.management.base import CommandError

from attribution.guard import ReopenRefused, reopen_gate, standing_of
from config.command import QuickCommand
from config.doors import acting_user, command_user, known_reconciliation
from config.gate_table import gate_lines


class Command(QuickCommand):
    help = "Say where the gate of a reconciliation stands; --reopen with --comment opens it after something was mended."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """NAME and what to do."""
        parser.add_argument("name")
        parser.add_argument("--reopen", action="store_true", help="open the gate from the next run on")
        parser.add_argument("--comment", default="", help="what was mended")
        parser.add_argument("--user", help="in whose name; the command line's own user, if not given")

    def handle(self, *, name: str, reopen: bool, comment: str, user: str | None, **_: object) -> None:
        """A few lines."""
        reconciliation = known_reconciliation(name)
        if reopen:
            try:
                by = acting_user(user) if user else command_user()
                reopen_gate(reconciliation=reconciliation, by=by, comment=comment)
            except ReopenRefused as error:
                raise CommandError(str(error)) from None
        self.stdout.write(gate_lines(standing_of(reconciliation)))
