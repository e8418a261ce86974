"""A line of the queue is drawn once for everybody who sees the same values, and anew when one of them changes."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from reconciliation.models import Break, Reconciliation, Run
from review.assigning import assign
from review.holding import hold
from review.pages.queue_rows import _drawn
from tests.conftest import row


@pytest.fixture
def brk(trades: Reconciliation, reconcile: Callable[..., Run]) -> Break:
    """A break whose sign is turned."""
    reconcile([row("SIGN", "10.00")], [row("SIGN", "-10.00")])
    _drawn.cache_clear()
    return Break.objects.get()


def line(user: User, query: str = "q=state:all") -> str:
    """The one line of a person's queue, with single blanks."""
    client = Client()
    client.force_login(user)
    page = client.get(f"/queue/?{query}").content.decode()
    (found,) = re.findall(r'<div class="qr" .*?</div>', page, re.DOTALL)
    return re.sub(r"\s+", " ", found)


def test_it_is_drawn_once_for_all_who_see_the_same(brk: Break, person: Callable[..., User]) -> None:
    first = line(person("Supervisor", "ann"))
    assert first == line(person("Supervisor", "ben")) and "SIGN_FLIP" in first and 'type="checkbox"' in first
    assert _drawn.cache_info().misses == 1 and _drawn.cache_info().hits == 1
    assert "checkbox" not in line(person("Auditor"))


def test_mine_is_mine_alone(brk: Break, person: Callable[..., User]) -> None:
    ann, ben = person("Supervisor", "ann"), person("Supervisor", "ben")
    before = line(ben)
    assign(brk=brk, to=ann, by=ann)
    assert "with you<" in line(ann) and "with ann<" in line(ben) and ">with " not in before
    assign(brk=brk, to=None, by=ann)
    assert line(ben) == before


def test_what_changed_is_drawn_anew(brk: Break, person: Callable[..., User]) -> None:
    ann = person("Supervisor")
    before = line(ann)
    hold(brk=brk, by=ann, note="Asked <b>them</b>", party="Custodian X")
    held = line(ann)
    assert "On hold for an answer of Custodian X: Asked &lt;b&gt;them&lt;/b&gt;" in held and "On hold" not in before
    changes = (
        {"amount": "1234.5"}, {"currency": "SEK"}, {"reason": "FX_VARIANCE"}, {"confidence": "0.61"}, {"fingerprint": "f"},
        {"opened_at": timezone.now() - dt.timedelta(days=400)}, {"due_at": timezone.now() + dt.timedelta(hours=3)},
        {"kind": "gate"},
    )  # fmt: skip
    seen = {held}
    for change in changes:
        Break.objects.update(**change)
        assert (now := line(ann)) not in seen, change
        seen.add(now)
    assert line(ann, "q=state:all&order=oldest") not in seen  # its address leads back to that order
