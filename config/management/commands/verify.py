"""Verify every invariant, a line each."""

from django.core.management.base import CommandError

from config.command import QuickCommand
from reconciliation.verify import CHECKS, NOTES


class Command(QuickCommand):
    help = "Check every invariant, a line each; exit 0 only when all hold."

    def handle(self, **_: object) -> None:
        """`ok` or what failed."""
        broken = 0
        for name, check in CHECKS.items():
            problems = list(check())
            broken += len(problems)
            self.stdout.write(f"{'FAILED' if problems else 'ok':8}{name}")
            for note in NOTES[name]() if name in NOTES else ():
                self.stdout.write(f"        {note}")
            for problem in problems:
                self.stdout.write(f"        {problem}")
        if broken:
            raise CommandError(f"{broken} problems. Restore what was changed from a backup, then verify again.")
