"""The statement through its doors: the run's page, a file, REST."""

import csv
from collections.abc import Callable
from io import StringIO

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from config.report_table import report_table
from reconciliation.models import Run, Team
from review.tokens import make_token
from tests.conftest import row


def test_the_statement_is_on_the_page_in_a_file_and_in_the_api(
    reconcile: Callable[..., Run], client: Client, person: Callable[[str], User]
) -> None:
    run, auditor = (
        reconcile([row("A", "1000.00"), row("B", "7.00")], [row("A", "1000.00"), row("C", "2.00")]),
        person("Auditor"),
    )
    assert run.report is not None
    client.force_login(auditor)
    page = " ".join(client.get(reverse("run", args=[run.pk])).content.decode().split())
    for words in ("Sum of amount", "1,007.00", "1,002.00", "5.00", "Missing in B", "\u22122.00", "Left unexplained"):
        assert words in page
    file = client.get(reverse("statement", args=[run.pk]))
    told = list(csv.DictReader(StringIO(file.content.decode())))
    assert [(it["line"], it["difference"]) for it in told] == [
        ("delivered", "5.00"), ("matched", "0.00"), ("missing_in_b", "7.00"), ("missing_in_a", "-2.00"), ("unexplained", "0.00"),
    ]  # fmt: skip
    assert file.headers["Content-Disposition"] == f'attachment; filename="statement_trades_2026-11-20_run_{run.pk}.csv"'
    assert "1,007.00" in report_table(run.report) and "Unexplained" in report_table(run.report)
    token = make_token(user=auditor, name="t", scopes=["read"], days=1)
    answer = client.get(f"/api/v1/runs/{run.pk}/statement", headers={"Authorization": f"Token {token}"})
    assert answer.json() == run.report["statement"]


def test_another_teams_statement_is_not_there(
    reconcile: Callable[..., Run], client: Client, person: Callable[[str], User]
) -> None:
    run = reconcile([row("A")], [row("A")])
    run.reconciliation.team = Team.objects.create(code="others")
    run.reconciliation.save()
    client.force_login(person("Analyst"))
    assert client.get(reverse("statement", args=[run.pk])).status_code == 404
