"""A proposed mapping version is accepted or refused by an Administrator, on the delivery's page and by REST."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from config.pipeline import run_to_end
from ingestion.changes import Change
from ingestion.deliveries import normalize_delivery
from ingestion.errors import MissingColumn
from ingestion.models import MappingProposal, Normalization, QuarantinedRow
from reconciliation.models import Reconciliation, Team
from reconciliation.runs import start_run
from review.proposals import AlreadyAnswered, accept_proposal
from review.repair_rules import RepairRefused
from review.repairs import read_again, repair, replay
from review.tokens import make_token
from tests.conftest import DAY, DEFINITION, HEADER, problems, row

NEXT_DAY = DAY + dt.timedelta(days=1)
RENAMED = HEADER.replace("amount", "amt")


@pytest.fixture
def proposal(trades: Reconciliation, deliver: Callable[..., Normalization]) -> MappingProposal:
    """A delivery whose amount has another name."""
    for source in ("left", "right"):
        deliver(source, "\n".join([HEADER, row("A"), ",2026-11-20,Acme,DE,1.00,EUR"]) + "\n")
    deliver("right", "\n".join([HEADER, row("B")]) + "\n", NEXT_DAY)
    with pytest.raises(MissingColumn):
        deliver("left", "\n".join([RENAMED, row("B")]) + "\n", NEXT_DAY)
    return MappingProposal.objects.get()


def test_it_is_accepted_on_the_page_and_the_delivery_goes_on(
    proposal: MappingProposal, trades: Reconciliation, client: Client, person: Callable[[str], User]
) -> None:
    page, answer = f"/deliveries/{proposal.normalization.delivery_id}/", reverse("answer_proposal", args=[proposal.pk])
    client.force_login(person("Analyst"))
    shown = client.get(page).content.decode()
    assert "{column: amt}" in shown and "An Administrator accepts" in shown and "the names are alike" in shown
    assert "a mapping version is proposed at" in " ".join(client.get("/deliveries/").content.decode().split())
    refused = client.post(answer, {"action": "accept"}, follow=True).content.decode()
    assert "You may not do that" in refused and trades.a.mappings.count() == 1
    client.force_login(person("Administrator"))
    client.post(answer, {"action": "accept", "comment": "the desk renamed it"})
    proposal.refresh_from_db()
    assert (proposal.state, proposal.accepted_as) == ("accepted", trades.a.current_mapping())
    assert trades.a.current_mapping().created_by == "administrator"
    assert normalize_delivery(Normalization.objects.get(mapping=proposal.accepted_as)).normalized == 1
    assert "Accepted as mapping\n    2" in client.get(page).content.decode() and problems() == []


def test_a_program_refuses_or_accepts_it_once(
    proposal: MappingProposal, trades: Reconciliation, client: Client, person: Callable[..., User]
) -> None:
    def ask(role: str, body: dict[str, str] | None = None, key: str = "k") -> tuple[int, dict]:
        user = User.objects.filter(username=role.lower()).first() or person(role)
        token = make_token(user=user, name=key + role, scopes=["read", "decide"])
        headers = {"Authorization": f"Token {token}", "Idempotency-Key": key}
        address = f"/api/v1/proposals/{proposal.pk}" + ("/answers" if body else "")
        method = client.post if body else client.get
        answer = method(address, body or {}, content_type="application/json", headers=headers)
        return answer.status_code, answer.json()

    status, told = ask("Analyst")
    assert (status, told["state"], told["changes"][0]["proposed"]) == (200, "open", {"column": "amt"})
    assert ask("Analyst", {"action": "refuse"})[0] == 403
    assert ask("Administrator", {"action": "burn"}, "a")[0] == 400
    status, told = ask("Administrator", {"action": "refuse", "comment": "ask the desk"}, "b")
    assert (status, told["state"], told["accepted_as"], told["decided_by"]) == (201, "refused", None, "administrator")
    assert ask("Administrator", {"action": "accept"}, "c") == (
        409, {"detail": "This proposal was refused by administrator already."},
    )  # fmt: skip
    assert trades.a.mappings.count() == 1
    trades.team = Team.objects.create(code="others")
    trades.save()
    assert ask("Analyst")[0] == 404


def test_it_is_void_when_the_mapping_changed_meanwhile(
    proposal: MappingProposal, define: Callable[[str], list[Change]], person: Callable[[str], User]
) -> None:
    define(DEFINITION.replace("id: {column: id}", "id: {column: id, clean: [upper]}"))
    with pytest.raises(AlreadyAnswered, match="has mapping 2 by now, and this was proposed for mapping 1"):
        accept_proposal(proposal=proposal, by=person("Administrator"))


def test_what_came_before_stays_as_it_was_read(
    proposal: MappingProposal, trades: Reconciliation, person: Callable[[str], User]
) -> None:
    accept_proposal(proposal=proposal, by=person("Administrator"))
    first, analyst = trades.a.deliveries.get(business_date=DAY), person("Analyst")
    with pytest.raises(RepairRefused, match="Mapping 2 is for the columns of later deliveries"):
        read_again(delivery=first, by=analyst)
    blank = QuarantinedRow.objects.get(normalization__delivery=first)
    repair(row=blank, cells={"id": "Z"}, comment="why", by=analyst)
    replayed = replay(delivery=first, by=analyst)
    run = run_to_end(start_run(reconciliation=trades, business_date=DAY, by="test"))
    used = {it.normalization.delivery: it.normalization.mapping.version for it in run.inputs.filter(side="a")}
    assert used == {first: 1, replayed: 1} and run.state == "done"
    assert trades.breaks.get(key="Z").kind == "missing_in_b" and problems() == []
