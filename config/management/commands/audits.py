"""Blind audits from the command line: what waits, and an answer."""

from argparse import ArgumentParser

from django.core.management.base import CommandError
from django.db.models import QuerySet

from attribution.models import Draw
from config.command import QuickCommand
from config.doors import acting_user, known_reconciliation
from review.audits import AuditRefused, answer_audit, differences_of, told, waiting_for


class Command(QuickCommand):
    help = (
        "List the audits of a reconciliation that a person may answer, or answer one: --answer KEY --reason FIELD=CODE."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """NAME, who, and the answer."""
        parser.add_argument("name")
        parser.add_argument("--user", help="who audits; the only superuser, if not given")
        parser.add_argument("--answer", metavar="KEY", help="the record to answer")
        parser.add_argument(
            "--reason", action="append", default=[], metavar="FIELD=CODE", help="a cause; once a difference"
        )
        parser.add_argument(
            "--cannot-tell", action="store_true", help="in the place of reasons: another person is asked"
        )
        parser.add_argument("--comment", default="")

    def handle(self, *, name: str, user: str | None, answer: str | None, **given: object) -> None:
        """A line an audit, or what follows from the answer."""
        waiting = waiting_for(by := acting_user(user)).filter(run__reconciliation=known_reconciliation(name))
        if answer is None:
            return self._list(waiting.select_related("brk", "run"))
        draw = waiting.filter(brk__key=answer).first()
        if draw is None:
            raise CommandError(f"No audit of {answer!r} waits for {by}. Without --answer you see those that do.")
        fields = {it.field: it.pk for it in differences_of(draw)}
        named = dict(it.partition("=")[::2] for it in given["reason"])  # type: ignore[attr-defined]
        if unknown := sorted(set(named) - set(fields)):
            raise CommandError(f"{', '.join(unknown)} does not differ. There is {', '.join(fields)}.")
        if named and given["cannot_tell"]:
            raise CommandError("Give reasons, or --cannot-tell; not both.")
        try:
            said = answer_audit(
                draw=draw,
                by=by,
                reasons=None if given["cannot_tell"] else {fields[it]: code for it, code in named.items()},
                comment=str(given["comment"]),
            )
        except AuditRefused as error:
            raise CommandError(str(error)) from None
        said.draw.brk.refresh_from_db()
        return self.stdout.write(told(said))

    def _list(self, waiting: QuerySet[Draw]) -> None:
        lines = []
        for draw in waiting:
            values = "; ".join(f"{it.field}: {it.value_a} / {it.value_b}" for it in differences_of(draw))
            lines.append(f"{draw.brk.key}  {draw.run.business_date}  {values}")
        self.stdout.write("\n".join(lines or ["Nothing waits."]))
