"""No page asks the database more often than it may, or sends more than it may, whatever stands on it."""

import datetime as dt
import gzip
import re
from collections.abc import Callable
from pathlib import Path

from django.contrib.auth.models import Group, User
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from attribution.models import ModelVersion, Training
from reconciliation.models import Break, Reconciliation, Run
from review.decisions import decide, waive
from review.tokens import SCOPES, make_token
from tests.attribution.test_learning import model  # noqa: F401
from tests.conftest import DAY, row
from tests.places import API_DETAILS, DETAILS, ELSEWHERE, FILES, PART, PARTS, REST, Place, patterns, places
from tests.review.test_access import table, things  # noqa: F401

BOUND = 12
PAGE_BYTES, PART_BYTES, FIRST_VISIT_BYTES = 60_000, 15_000, 130_000  # compressed
MORE = {"model": 16, "second_opinion": 13}  # pages that are not there yet
LEFT = [row("SIGN", "10.00"), row("ROUND", "10.25"), row("TWICE"), row("TWICE"), row("GATE", "5000.00"), row("ONLY-A"),
        row("TWO", "10.00", "2026-11-20"), row("NONE", "17.31"), row("YES", "3.00"), row("NO", "4.00"), "x,y"]  # fmt: skip
RIGHT = [row("SIGN", "-10.00"), row("ROUND", "10.00"), row("GATE", "5000.00"), row("ONLY-B"), row("NONE", "91.77"),
         row("TWO", "-10.00", "2026-11-23"), row("YES", "-3.00"), row("NO", "-4.00")]  # fmt: skip


def test_every_page_keeps_to_its_bound(
    things: dict[str, int],  # noqa: F811
    model: ModelVersion,  # noqa: F811
    reconcile: Callable[..., Run],
    trades: Reconciliation,
    client: Client,
    person: Callable[[str], User],
) -> None:
    Training.objects.update(model=model)
    ModelVersion.objects.exclude(pk=model.pk).delete()
    days = [DAY + dt.timedelta(days=n) for n in (1, 2)]
    reconcile(LEFT, RIGHT, days[0])
    manager = person("Manager")
    _settle(trades, manager, person("Supervisor"))
    reconcile([row("ONLY-B")], [row("ONLY-A"), row("SIGN", "-11.00")], days[1])
    kinds = set(Break.objects.values_list("kind", flat=True))
    states = set(Break.objects.values_list("state", flat=True))
    assert kinds == set(Break.Kind.values) and states >= {"review", "passed", "approved", "rejected", "closed"}
    _let_in(manager)
    client.force_login(manager)
    token = make_token(user=manager, name="walk", scopes=list(SCOPES))
    of_each = Break.objects.order_by("kind", "state", "reason", "-pk").distinct("kind", "state", "reason")
    walked = list(places(each=4, breaks=list(of_each)))
    asked = {place: _asked(client, place, token) for place in walked}
    own = {place: told for place, told in asked.items() if place.name not in FILES}
    over = sorted({(it.name, n) for it, (n, _) in own.items() if n > MORE.get(it.name, BOUND)})
    assert over == []
    sizes = {it.url: size for it, (_, size) in own.items() if size > (PART_BYTES if it.kind == PART else PAGE_BYTES)}
    assert sizes == {}
    assert _unknown({place.name for place in walked}) == set()


def _let_in(manager: User) -> None:
    """Let a person into every page: the set-up's and the admin's too."""
    manager.groups.add(Group.objects.get(name="Administrator"))
    manager.is_staff = True
    manager.save()


def _unknown(walked: set[str]) -> set[str]:
    """Addresses that answer GET, and to which no place leads, whatever stands in the database."""
    of_get = {address for address, cells in table().items() if cells[0] not in (".", "0")}
    missing = {name for name, spelt in patterns() if spelt in of_get} - walked
    known = {*ELSEWHERE, *FILES, *DETAILS, *PARTS, *API_DETAILS}
    return {name for name in missing - known if "import" not in name and "export" not in name}


def _settle(trades: Reconciliation, manager: User, supervisor: User) -> None:
    """One break approved, one rejected, a check waived, and a proposal that waits for a second person."""
    Reconciliation.objects.update(four_eyes=False)
    of_key = {brk.key: brk for brk in Break.objects.all()}
    decide(brk=of_key["YES"], action="approve", by=supervisor)
    decide(brk=of_key["NO"], action="reject", by=supervisor)
    waive(brk=of_key["GATE"], condition="check:amount:between", by=manager, comment="agreed")
    trades.four_eyes = True
    trades.save()
    decide(brk=of_key["NONE"], action="override", by=supervisor, reason="FX_VARIANCE", values={"amount": "91.77"})


def test_a_first_visit_sends_little_style_and_script(client: Client, person: Callable[[str], User]) -> None:
    _let_in(manager := person("Manager"))
    client.force_login(manager)
    for url in (reverse("dashboard"), reverse("queue"), reverse("upload")):
        page = client.get(url).content.decode()
        names = set(re.findall(r'<(?:link rel="stylesheet"|script)[^>]+(?:href|src)="/static/([^"]+)"', page))
        assert "tieout/tieout.css" in names and "htmx" in "".join(names)
        sent = sum(len(gzip.compress(Path(str(finders.find(name))).read_bytes())) for name in names)
        assert sent <= FIRST_VISIT_BYTES, (url, sent)


def _asked(client: Client, place: Place, token: str) -> tuple[int, int]:
    """How many queries a place takes, and how many bytes it sends, compressed."""
    headers = {"HX-Request": "true"} if place.kind == PART else {}
    if place.kind == REST:
        client, headers = Client(), {"Authorization": f"Token {token}"}
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(place.url, headers=headers)
        content = b"".join(answer) if answer.streaming else answer.content  # type: ignore[arg-type]
    assert answer.status_code in (200, 302, 400, 404, 405), (place, answer.status_code)
    return len(captured), len(gzip.compress(content))
