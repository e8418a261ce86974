"""The demo's two approvals go through the same doors as everybody's."""

from collections.abc import Callable

from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from attribution.models import Correction
from config.demo_decisions import answer_together, approve_by_api, approve_on_page
from ingestion.models import Normalization
from reconciliation.models import Break, Run
from review.models import Decision
from tests.conftest import HEADER, row
from tests.faults.conftest import committed  # noqa: F401 - the store's tables go after the test
from tests.test_straight_path import problems


def test_one_break_is_approved_on_its_page_and_one_by_the_api(
    committed: None,  # noqa: F811
    live_server: LiveServer,
    reconcile: Callable[..., Run],
    person: Callable[[str], User],
) -> None:
    reconcile([row("A", "5.00"), row("B", "7.00")], [row("A", "-5.00"), row("B", "-7.00")])
    first, second = Break.objects.order_by("key")
    approve_on_page(live_server.url, first, person("Supervisor").username, "secret-of-a-test")
    approve_by_api(live_server.url, second)
    assert set(Break.objects.values_list("state", flat=True)) == {Break.State.APPROVED}
    assert list(Decision.objects.order_by("brk__key").values_list("brk__key", "proposed_by__username")) == [
        ("A", "supervisor"),
        ("B", "demo-program"),
    ]
    assert Correction.objects.count() == 2
    assert problems() == []


def test_quarantined_rows_are_dismissed_by_one_answer(
    trades: object, deliver: Callable[..., Normalization], person: Callable[[str], User]
) -> None:
    person("Supervisor")
    keyless = ",2026-11-20,Acme,DE,10.00,EUR\n"
    work = deliver("left", f"{HEADER}\n{keyless * 3}")

    told = list(answer_together())

    assert [it.partition(": ")[2] for it in told] == ["2 of 2 quarantined rows dismissed at once by supervisor."]
    assert list(answer_together()) == told
    assert work.quarantined_rows.filter(repairs__isnull=False).count() == 2
