"""What else lies on the desk in the demo: talk about a break, a proposal and its answer, a decision taken back, a waived check, rows
that were dismissed, a file with other columns, a file that waits for an answer, and what a person hears of."""

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from config import tasks
from ingestion.audit_log import record_event
from ingestion.models import Delivery, QuarantinedRow, Repair, Source
from ingestion.uploads import accept_upload, all_staged, stage
from reconciliation.models import Break, GateRefusal, Team
from review.comments import add_comment
from review.decisions import confirm, decide, waive
from review.inbox import choose
from review.models import AlertChoice, Comment, Decision, Waiver
from review.repairs import dismiss
from review.undoing import undo

SAID = "Said by the demo"
QUESTION = "The desk says that the fixing came late. @supervisor, may this one pass?"
ANSWER = "The fixing is in the mail of Monday, @analyst. Approve it."
TEAM = "fx_desk"
FOUR_EYES, ALONE, TRADES = "card_takings", "airports", "fx_trades"
CHANGED_DAY, WAITING_DAY = dt.date(2026, 11, 24), dt.date(2026, 11, 23)
RENAMED = (b"trader,book", b"trader_code,book")  # columns of a file that came with others
DISMISSED = 2


def lay_out(folder: Path) -> Iterator[str]:
    """Do each once; what an earlier demo did is only told. `folder` has the trades' files. Gives lines to print."""
    people = {it.username: it for it in User.objects.filter(username__in=("analyst", "supervisor", "manager"))}
    analyst, supervisor, manager = (people[name] for name in ("analyst", "supervisor", "manager"))
    _join(TEAM, people.values())
    if not Comment.objects.exists():
        _talk(analyst, supervisor)
    if not Decision.objects.filter(four_eyes=True).exists():
        _propose(analyst, supervisor)
    if not Decision.objects.filter(comment=SAID, undone_at__isnull=False).exists():
        _take_back(supervisor)
    if not Waiver.objects.exists():
        _waive(manager)
    if not Repair.objects.exists():
        _dismiss(analyst)
    if not AlertChoice.objects.exists():
        choose(by=manager, event="delivery.quarantined", mail=AlertChoice.Mail.IMMEDIATE, muted=False)
        choose(by=analyst, event="export.ready", mail=AlertChoice.Mail.NONE, muted=True)
    if not Delivery.objects.filter(source__code="back_office", business_date=CHANGED_DAY).exists():
        _bring_other_columns(folder / "back_office_day2.csv")
    if not all_staged(analyst.username):
        _hand_in(folder / "front_office_day2.csv", analyst)
    site = settings.PUBLIC_URL
    yield f"A proposal waits for a second person at {site}/decisions/proposed/, a file for an answer at {site}/upload/, and a changed file at {site}/deliveries/."


def _join(code: str, people: Iterable[User]) -> None:
    """A team has its people."""
    team = Team.objects.filter(code=code, members=None).first()
    if team is not None:
        team.members.set(people)
        record_event("setup.changed", of=team, by="demo", after={"members": [it.username for it in people]})


def _in_review(code: str) -> Break | None:
    waiting = Break.objects.filter(state=Break.State.REVIEW, reconciliation__code=code)
    return waiting.exclude(decisions__withdrawn=False).order_by("-id").first()


def _talk(analyst: User, supervisor: User) -> None:
    brk = Break.objects.filter(assignee=analyst, state=Break.State.REVIEW).order_by("id").first()
    if brk is not None:
        add_comment(brk=brk, by=analyst, text=QUESTION)
        add_comment(brk=brk, by=supervisor, text=ANSWER)


def _propose(analyst: User, supervisor: User) -> None:
    """Two proposals; the supervisor confirms the first."""
    for is_confirmed in (True, False):
        if (brk := _in_review(FOUR_EYES)) is None:
            return
        proposal = decide(brk=brk, action="reject", by=analyst, comment=SAID)
        if is_confirmed:
            confirm(decision=proposal, by=supervisor)


def _take_back(supervisor: User) -> None:
    if (brk := _in_review(ALONE)) is not None:
        undo(decision=decide(brk=brk, action="reject", by=supervisor, comment=SAID), by=supervisor)


def _waive(manager: User) -> None:
    held = GateRefusal.objects.filter(condition__startswith="check:", brk__state=Break.State.REVIEW)
    if (
        refusal := held.filter(brk__reconciliation__code=TRADES).select_related("brk").order_by("id").first()
    ) is not None:
        waive(brk=refusal.brk, condition=refusal.condition, by=manager, comment="The desk confirmed the value")


def _dismiss(analyst: User) -> None:
    rows = QuarantinedRow.objects.filter(normalization__run_inputs__run__reconciliation__code=ALONE)
    for row in rows.order_by("id").distinct()[:DISMISSED]:
        dismiss(row=row, comment="A heliport without a code", by=analyst)


def _bring_other_columns(file: Path) -> None:
    """A file whose columns are called otherwise cannot be read; the worker that finds it proposes a mapping."""
    source = Source.objects.get(code="back_office")
    upload = SimpleUploadedFile("back_office_day3.csv", file.read_bytes().replace(*RENAMED, 1))
    _, work = accept_upload(stage(source=source, upload=upload, given=CHANGED_DAY, by="demo"), source)
    tasks.send(tasks.normalize.delay, work.pk)


def _hand_in(file: Path, analyst: User) -> None:
    """A correction of the second day that the analyst did not accept yet: one amount changed, one trade is left out."""
    lines = file.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"602.030,01", b"602.030,10")
    source = Source.objects.get(code="front_office")
    upload = SimpleUploadedFile("front_office_corrected.csv", b"".join([*lines[:-1], b"fx-8899001" + lines[2][10:]]))
    stage(source=source, upload=upload, given=WAITING_DAY, by=analyst.username)
