"""Decide a break from the command line, through the same service as page and API."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from config.doors import acting_user, known_reconciliation
from reconciliation.models import Break, Member
from review.decisions import DecisionRefused, decide
from review.ids import id_of


class Command(BaseCommand):
    requires_system_checks = []  # they load every page, and `manage.py check` runs them
    help = "Approve, override or reject the break of a key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """KEY and what to do."""
        parser.add_argument("key")
        parser.add_argument("--reconciliation", required=True)
        parser.add_argument("--action", required=True, choices=["approve", "override", "reject"])
        parser.add_argument("--reason", default="")
        parser.add_argument("--set", action="append", default=[], metavar="field=value", dest="values")
        parser.add_argument("--row", metavar="SIDE:POSITION", help="the right row of a duplicate, such as a:1")
        parser.add_argument("--comment", default="")
        parser.add_argument(
            "--user", help="the user name; the only superuser, or the command line's own user, if not given"
        )

    def handle(self, *, key: str, reconciliation: str, action: str, reason: str, **options: object) -> None:
        """One line with what followed."""
        by = acting_user(options["user"])
        seen = Break.objects.visible_to(by)
        breaks = seen.filter(reconciliation=known_reconciliation(reconciliation), key=key)
        brk = breaks.filter(state__in=Break.OPEN_STATES).first() or breaks.order_by("-id").first()
        if brk is None:
            raise CommandError(f"There is no break of key {key!r} in {reconciliation} that {by} may see.")
        try:
            decision = decide(
                brk=brk,
                action=action,
                by=by,
                reason=reason,
                values=_values(options["values"]),
                member=_row(brk, options["row"]),
                comment=str(options["comment"]),
            )
        except DecisionRefused as error:
            raise CommandError(str(error)) from None
        decision.brk.refresh_from_db()
        done, state = decision.told, decision.brk.get_state_display().lower()
        self.stdout.write(f"{key}: {done[0].lower()}{done[1:]} (decision {decision.pk}). The break is {state}.")


def _values(given: object) -> dict[str, str | None]:
    values: dict[str, str | None] = {}
    for pair in given:  # type: ignore[attr-defined]
        field, mark, value = pair.partition("=")
        if not mark:
            raise CommandError(f"{pair!r} is no field=value.")
        values[field] = value or None
    return values


def _row(brk: Break, given: object) -> Member | None:
    if not given:
        return None
    side, _, position = str(given).partition(":")
    row = brk.members.filter(side=side, position=id_of(position), current=True).first()
    if row is None:
        raise CommandError(f"There is no row {given!r} in this break.")
    return row
