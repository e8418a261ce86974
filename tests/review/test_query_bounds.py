"""No page asks the database more often than it may, whatever stands on it."""

import datetime as dt
from collections.abc import Callable, Iterator

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from attribution.models import Draw
from ingestion.models import QuarantinedRow
from reconciliation.models import Break, Reconciliation, Run
from review.decisions import decide, waive
from review.export_kinds import OF_RUN
from tests.conftest import DAY, row

BOUND = 12
LEFT = [row("SIGN", "10.00"), row("ROUND", "10.25"), row("TWICE"), row("TWICE"), row("GATE", "5000.00"), row("ONLY-A"),
        row("TWO", "10.00", "2026-11-20"), row("NONE", "17.31"), row("YES", "3.00"), row("NO", "4.00"), "x,y"]  # fmt: skip
RIGHT = [row("SIGN", "-10.00"), row("ROUND", "10.00"), row("GATE", "5000.00"), row("ONLY-B"), row("NONE", "91.77"),
         row("TWO", "-10.00", "2026-11-23"), row("YES", "-3.00"), row("NO", "-4.00")]  # fmt: skip


def test_every_page_keeps_to_its_bound(
    reconcile: Callable[..., Run], trades: Reconciliation, client: Client, person: Callable[[str], User]
) -> None:
    run, manager = reconcile(LEFT, RIGHT), person("Manager")
    _settle(trades, manager, person("Supervisor"))
    later = reconcile([row("ONLY-B")], [row("ONLY-A"), row("SIGN", "-11.00")], DAY + dt.timedelta(days=1))
    kinds = set(Break.objects.values_list("kind", flat=True))
    states = set(Break.objects.values_list("state", flat=True))
    assert kinds == set(Break.Kind.values) and states >= {"review", "passed", "approved", "rejected", "closed"}
    client.force_login(manager)
    asked = {url: _queries(client, url) for url in _pages([run, later])}
    previews = [reverse("preview", args=[pk]) for pk in Break.objects.values_list("pk", flat=True)]
    asked |= {url: _queries(client, url, {"HX-Request": "true"}) for url in previews}
    assert {url: len(queries) for url, queries in asked.items() if len(queries) > BOUND} == {}


def _settle(trades: Reconciliation, manager: User, supervisor: User) -> None:
    """One break approved, one rejected, a check waived, and a proposal that waits for a second person."""
    of_key = {brk.key: brk for brk in Break.objects.all()}
    decide(brk=of_key["YES"], action="approve", by=supervisor)
    decide(brk=of_key["NO"], action="reject", by=supervisor)
    waive(brk=of_key["GATE"], condition="check:amount:between", by=manager, comment="agreed")
    trades.four_eyes = True
    trades.save()
    decide(brk=of_key["NONE"], action="override", by=supervisor, reason="FX_VARIANCE", values={"amount": "91.77"})


def _pages(runs: list[Run]) -> Iterator[str]:
    yield from (
        reverse(name)
        for name in (
            "dashboard",
            "alerts",
            "alert_choices",
            "queue",
            "blind_audits",
            "runs",
            "deliveries",
            "quarantine",
            "journey",
            "models",
            "exports",
            "audit",
        )
    )
    yield from (
        reverse("blind_audit", args=[pk]) for pk in Draw.objects.filter(purpose="audit").values_list("pk", flat=True)
    )
    yield from (reverse("quarantined", args=[pk]) for pk in QuarantinedRow.objects.values_list("pk", flat=True))
    for query in (
        "state=all",
        "reason=SIGN_FLIP",
        "kind=missing_in_a&key=ONLY",
        f"run={runs[0].pk}",
        "key=nothing",
        "age=1d",
    ):
        yield f"{reverse('queue')}?{query}"
    for run in runs:
        yield reverse("run", args=[run.pk])
        yield from (reverse("delivery", args=[it.normalization.delivery_id]) for it in run.inputs.all())
    for brk in Break.objects.all():
        yield brk.get_absolute_url()
        yield f"{reverse('journey')}?reconciliation=trades&key={brk.key}"
    yield f"{reverse('journey')}?key=nothing"
    yield from (f"{reverse('search')}?list=1&key={key}" for key in ("", "O", "SIGN", "nothing"))
    yield from (f"{reverse('choose_export')}?what={what}&run={runs[0].pk}" for what in OF_RUN)
    yield f"{reverse('choose_export')}?what=stored&record_type=trade"


def _queries(client: Client, url: str, headers: dict[str, str] | None = None) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url, headers=headers).status_code == 200
    return [query["sql"] for query in captured]
