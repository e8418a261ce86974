"""Train a model of a reconciliation and register it."""

from argparse import ArgumentParser

from django.core.management.base import CommandError

from attribution.champions import promote as let_speak
from attribution.registry import PromotionRefused
from attribution.trainer import train_now
from attribution.training import TrainingRefused
from config.command import QuickCommand
from config.doors import COMMAND, acting_user, command_user, known_reconciliation
from config.model_table import model_table


class Command(QuickCommand):
    help = "Train on the confirmed reasons of a reconciliation, show the numbers on later labels, register a candidate."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """NAME, and whether it speaks from the next run on."""
        parser.add_argument("name")
        parser.add_argument("--promote", action="store_true", help="let it speak from the next run on")
        parser.add_argument("--user", help="in whose name; the command line's own user, if not given")

    def handle(self, *, name: str, promote: bool, user: str | None, **_: object) -> None:
        """The candidate's numbers."""
        reconciliation = known_reconciliation(name)
        by = acting_user(user) if user else None
        try:
            model = train_now(reconciliation=reconciliation, by=by.username if by else COMMAND)
            self.stdout.write(model_table(model))
            if promote:
                let_speak(model=model, by=by or command_user(), comment="train --promote")
                self.stdout.write(f"{model} is the champion; the next run is bound to it.")
        except (TrainingRefused, PromotionRefused) as error:
            raise CommandError(str(error)) from None
