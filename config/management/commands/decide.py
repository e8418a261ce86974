"""Decide a break from the command line, through the same service as page and API."""

from argparse import ArgumentParser
from collections.abc import Mapping

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from config.command import QuickCommand
from config.doors import acting_user, known_reconciliation
from reconciliation.models import Break, Member
from review.decisions import DecisionRefused, decide
from review.ids import id_of
from review.models import Decision
from review.undoing import undo


class Command(QuickCommand):
    help = "Approve, override or reject the break of a key, or undo its decision."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """KEY and what to do."""
        parser.add_argument("key")
        parser.add_argument("--reconciliation", required=True)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--action", choices=["approve", "override", "reject"])
        what.add_argument(
            "--undo", action="store_true", help="undo the decision that closed it; later with a --comment"
        )
        parser.add_argument("--reason", default="")
        parser.add_argument("--set", action="append", default=[], metavar="field=value", dest="values")
        parser.add_argument("--row", metavar="SIDE:POSITION", help="the right row of a duplicate, such as a:1")
        parser.add_argument("--comment", default="")
        parser.add_argument(
            "--user", help="the user name; the only superuser, or the command line's own user, if not given"
        )

    def handle(self, *, key: str, reconciliation: str, action: str, undo: bool, **options: object) -> None:
        """One line with what followed."""
        by = acting_user(options["user"])
        seen = Break.objects.visible_to(by)
        breaks = seen.filter(reconciliation=known_reconciliation(reconciliation), key=key)
        brk = breaks.filter(state__in=Break.OPEN_STATES).first() or breaks.order_by("-id").first()
        if brk is None:
            raise CommandError(f"There is no break of key {key!r} in {reconciliation} that {by} may see.")
        try:
            decision = _undone(brk, by, str(options["comment"])) if undo else _decided(brk, by, action, options)
        except DecisionRefused as error:
            raise CommandError(str(error)) from None
        decision.brk.refresh_from_db()
        done, state = decision.told, decision.brk.get_state_display().lower()
        self.stdout.write(f"{key}: {done[0].lower()}{done[1:]} (decision {decision.pk}). The break is {state}.")


def _decided(brk: Break, by: User, action: str, options: Mapping[str, object]) -> Decision:
    return decide(
        brk=brk,
        action=action,
        by=by,
        reason=str(options["reason"]),
        values=_values(options["values"]),
        member=_row(brk, options["row"]),
        comment=str(options["comment"]),
    )


def _undone(brk: Break, by: User, comment: str) -> Decision:
    last = brk.decisions.filter(confirmed_by__isnull=False).first()
    if last is None:
        raise CommandError(f"Nobody decided the break of {brk.key}; there is nothing to undo.")
    return undo(decision=last, by=by, comment=comment)


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
