"""Delete raw bytes whose time is over."""

from argparse import ArgumentParser

from django.core.management.base import CommandError
from django.utils import timezone

from config.command import QuickCommand
from ingestion.retention import due, forget


class Command(QuickCommand):
    help = "Delete the raw bytes of deliveries that their sources keep no longer; a tombstone stays for each."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Nothing but how."""
        parser.add_argument("--dry-run", action="store_true", help="only say what is due")

    def handle(self, *, dry_run: bool, **_: object) -> None:
        """A line for what was done, and one for each file that stayed."""
        if dry_run:
            for delivery in due(timezone.now()):
                self.stdout.write(f"{delivery}, {delivery.file_name}, {delivery.size:,} bytes")
            return
        done = forget(now=timezone.now(), by="command")
        self.stdout.write(f"{done.deliveries} deliveries, {done.size:,} bytes deleted.")
        for sentence in done.kept:
            self.stderr.write(sentence)
        if done.kept:
            raise CommandError(f"{len(done.kept)} files are not as they were delivered, and were left.")
