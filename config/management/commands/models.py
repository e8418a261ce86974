"""The model registry from the command line: list, promote, roll back."""

from argparse import ArgumentParser

from django.core.management.base import CommandError
from django.db.models import QuerySet

from attribution.champions import promote, roll_back
from attribution.guard import standing_of
from attribution.models import ModelVersion
from attribution.registry import PromotionRefused, champion_of, version_of
from config.command import QuickCommand
from config.doors import acting_user, command_user, known_reconciliation
from config.gate_table import gate_lines
from config.model_table import model_line, model_table


class Command(QuickCommand):
    help = (
        "List the models of a reconciliation, show one with --show N, let one speak with --promote N, or --roll-back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """NAME and what to do."""
        parser.add_argument("name")
        parser.add_argument("--user", help="in whose name; the command line's own user, if not given")
        parser.add_argument("--comment", default="", help="why a model is promoted that the rule does not allow")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--show", type=int, metavar="N", help="the numbers of a model")
        what.add_argument("--promote", type=int, metavar="N", help="let a model speak from the next run on")
        what.add_argument("--roll-back", action="store_true", help="bring back what the champion replaced")

    def handle(self, *, name: str, user: str | None, comment: str, **options: int | None) -> None:
        """A line a model, or what was done."""
        reconciliation = known_reconciliation(name)
        try:
            if options["show"] is not None:
                return self.stdout.write(model_table(version_of(reconciliation, options["show"])))
            by = acting_user(user) if user else command_user()
            if options["promote"] is not None:
                promote(model=version_of(reconciliation, options["promote"]), by=by, comment=comment)
            elif options["roll_back"]:
                roll_back(reconciliation=reconciliation, by=by)
            else:
                self._list(ModelVersion.objects.filter(reconciliation=reconciliation))
                return self.stdout.write(gate_lines(standing_of(reconciliation)))
        except PromotionRefused as error:
            raise CommandError(str(error)) from None
        champion = champion_of(reconciliation)
        said = f"{champion} is the champion" if champion else "There is no champion, the provers speak alone"
        return self.stdout.write(f"{said}; the next run is bound to that.")

    def _list(self, models: QuerySet[ModelVersion]) -> None:
        lines = [model_line(model) for model in models]
        self.stdout.write("\n".join(lines or ["There are no models yet. Train one: manage.py train NAME."]))
