"""What the demo's people decide: two breaks alone, on the break page and by the API, some breaks in bulk, quarantined rows by one answer."""

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar

from django.contrib.auth.models import User

from config.demo_program import program_headers
from reconciliation.models import Break
from review.assigning import assign
from review.bulk.bulks import start_bulk
from review.bulk.selecting import Picked, choose_rows
from review.bulk.working import work_on
from review.bulk_answers.answering import answer_all
from review.bulk_answers.choosing import choose_rows as choose_quarantined
from review.models import BulkAnswer, BulkDecision, Decision
from review.quarantined import Asked, narrowed, visible_rows

COMMENT = "Approved by the demo"
TOGETHER_COMMENT = "Rejected by the demo"
SHARED = 5  # breaks that the analyst is given
TOGETHER = 6  # breaks of the demo's bulk decision
DISMISSED_COMMENT = "Dismissed by the demo"
DISMISSED = 2  # quarantined rows of the demo's answer to many


def decide_two(site: str, password: str) -> list[str]:
    """Approve the first two explained breaks that wait, and say how; breaks that an earlier demo approved are only told."""
    told = list(Decision.objects.filter(comment=COMMENT).order_by("id").select_related("brk", "proposed_by")[:2])
    if len(told) < 2:
        waiting = (
            Break.objects.filter(
                state=Break.State.REVIEW,
                kind=Break.Kind.DIFFERING,
                reconciliation__code="fx_trades",
                refusals__condition__startswith="reason:",
            )
            .exclude(band="UNKNOWN")
            .exclude(refusals__condition__startswith="check:")
            .exclude(refusals__condition__startswith="flagged:")
        )
        first, second = list(waiting.distinct().order_by("id")[:2])
        approve_on_page(site, first, "supervisor", password)
        approve_by_api(site, second)
        told = list(Decision.objects.filter(comment=COMMENT).order_by("id").select_related("brk", "proposed_by"))
    ways = ("on its page", "by the API")
    return [
        f"{it.brk.key} was approved {way} by {it.proposed_by.get_username()}: {site}/breaks/{it.brk_id}/"
        for it, way in zip(told, ways, strict=True)
    ]


def answer_together() -> Iterator[str]:
    """Reject a few airports in one bulk decision, and dismiss two quarantined rows by one answer; what an earlier demo did so is only
    told."""
    by = User.objects.get(username="supervisor")
    if bulk := BulkDecision.objects.filter(comment=TOGETHER_COMMENT).first() or _rejected(by):
        yield f"Bulk {bulk.pk}: {bulk.done} of {bulk.rows} airports rejected at once by {bulk.asked_by.get_username()}."
    if said := BulkAnswer.objects.filter(comment=DISMISSED_COMMENT).first() or _dismissed(by):
        yield f"Answer {said.pk}: {said.done} of {said.rows} quarantined rows dismissed at once by {said.asked_by.get_username()}."


def _rejected(by: User) -> BulkDecision | None:
    waiting = Break.objects.filter(state=Break.State.REVIEW, reconciliation__code="airports").order_by("id")
    picked = [Picked(pk) for pk in waiting.values_list("pk", flat=True)[:TOGETHER]]
    if not picked:
        return None
    bulk = start_bulk(preview=choose_rows(picked=picked, by=by), action="reject", by=by, comment=TOGETHER_COMMENT)
    work_on(bulk)
    bulk.refresh_from_db()
    return bulk


def _dismissed(by: User) -> BulkAnswer | None:
    ids = [row.pk for row in narrowed(visible_rows(by), Asked())[:DISMISSED]]
    if not ids:
        return None
    chosen = choose_quarantined(action=BulkAnswer.Action.DISMISS, ids=ids, by=by)
    return answer_all(answer=chosen, by=by, comment=DISMISSED_COMMENT)


def share_work() -> list[str]:
    """Give the analyst the first breaks of the currency trades that wait; what an earlier demo gave is only told."""
    analyst, supervisor = (User.objects.get(username=name) for name in ("analyst", "supervisor"))
    theirs = Break.objects.filter(assignee=analyst)
    if not theirs.exists():
        waiting = Break.objects.filter(state=Break.State.REVIEW, reconciliation__code="fx_trades").order_by("id")
        for brk in waiting[:SHARED]:
            assign(brk=brk, to=analyst, by=supervisor)
    return [f"{theirs.count()} breaks are assigned to the analyst, whose inbox says so."]


def approve_on_page(site: str, brk: Break, name: str, password: str) -> None:
    """Sign in, open the page and send its form, as a browser without JavaScript does."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    given = {"username": name, "password": password, "next": f"/breaks/{brk.pk}/"}
    page = _send_form(browser, f"{site}/sign-in/", _read(browser, f"{site}/sign-in/"), given)
    _send_form(browser, f"{site}/breaks/{brk.pk}/decide/", page, {"action": "approve", "comment": COMMENT})


def _read(browser: urllib.request.OpenerDirector, url: str) -> str:
    with browser.open(url, timeout=30) as answer:
        return str(answer.read().decode())


def _send_form(browser: urllib.request.OpenerDirector, url: str, page: str, given: dict[str, str]) -> str:
    """Send a form with the hidden fields of the page that shows it."""
    hidden = {
        name: found[1]
        for name in ("csrfmiddlewaretoken", "fingerprint")
        if (found := re.search(f'name="{name}" value="([^"]*)"', page))
    }
    body = urllib.parse.urlencode({**hidden, **given}).encode()
    with browser.open(urllib.request.Request(url, body, {"Referer": url}), timeout=30) as answer:
        return str(answer.read().decode())


def approve_by_api(site: str, brk: Break) -> None:
    """POST the decision with a token of its own."""
    body = json.dumps({"action": "approve", "comment": COMMENT, "fingerprint": brk.fingerprint}).encode()
    headers = {
        **program_headers("read", "decide"),
        "Content-Type": "application/json",
        "Idempotency-Key": f"demo-{brk.pk}-{brk.fingerprint}",
    }
    request = urllib.request.Request(f"{site}/api/v1/breaks/{brk.pk}/decisions", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()
