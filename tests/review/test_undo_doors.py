"""The doors of undoing: page, preview, admin, REST, command; the same service behind each."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from reconciliation.models import Break, Reconciliation, Run, Team
from review.decisions import decide
from review.models import Decision
from tests.conftest import problems, row
from tests.review.test_undoing import later
from tests.standing import lake_folder  # noqa: F401


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> Run:
    """A turned sign."""
    return standing([row("A", "10.00")], [row("A", "-10.00")])


@pytest.fixture
def sign(made: Run, db: None) -> Break:
    """A break in review: the sign is turned."""
    return Break.objects.get(key="A")


def state_of(brk: Break) -> str:
    """Where it stands."""
    return Break.objects.get(pk=brk.pk).state


def test_the_page_offers_it_after_deciding_and_does_it(
    sign: Break, client: Client, person: Callable[[str], User]
) -> None:
    client.force_login(person("Analyst"))
    url = reverse("decide", args=[sign.pk])
    page = client.post(url, {"action": "approve", "fingerprint": sign.fingerprint}, follow=True).content.decode()
    decision = Decision.objects.get()
    undo_url = reverse("undo", args=[decision.pk])
    assert f'action="{undo_url}"' in page and "within 10 seconds" in page
    preview = client.get(reverse("preview", args=[sign.pk]), headers={"HX-Request": "true"}).content.decode()
    assert f'hx-post="{undo_url}" hx-target="#preview"' in preview
    page = client.post(undo_url, follow=True).content.decode()
    assert state_of(sign) == "review" and "undone by analyst" in page and undo_url not in page
    page = client.post(undo_url, follow=True).content.decode()
    assert "analyst undid this decision already." in page
    assert client.get(undo_url).status_code == 405


def test_beside_the_list_a_final_decision_is_only_said_and_a_proposal_shown_whole(
    sign: Break, client: Client, person: Callable[[str], User]
) -> None:
    client.force_login(person("Analyst"))
    headers = {"HX-Request": "true", "HX-Target": "preview"}
    url, given = reverse("decide", args=[sign.pk]), {"action": "reject", "fingerprint": sign.fingerprint}
    said = client.post(url, given, headers=headers).content.decode()
    assert 'data-state="rejected"' in said and 'data-said="A: Rejected."' in said and "What the gate said" not in said
    assert f'hx-post="{reverse("undo", args=[Decision.objects.get().pk])}"' in said
    client.post(reverse("undo", args=[Decision.objects.get().pk]))
    Reconciliation.objects.update(four_eyes=True)
    shown = client.post(url, given, headers=headers).content.decode()
    assert 'data-state="proposed"' in shown and "What the gate said" in shown
    refused = client.post(url, {"action": "no such", "fingerprint": sign.fingerprint}, headers=headers).content.decode()
    assert "data-refused" in refused and "What the gate said" in refused


def test_later_the_page_offers_it_to_who_may_and_asks_why(
    sign: Break, client: Client, person: Callable[[str], User]
) -> None:
    analyst = person("Analyst")
    decision = later(decide(brk=sign, action="reject", by=analyst))
    undo_url = reverse("undo", args=[decision.pk])
    client.force_login(analyst)
    assert undo_url not in client.get(sign.get_absolute_url()).content.decode()
    assert "The 10 seconds are over." in client.post(undo_url, follow=True).content.decode()
    client.force_login(person("Supervisor"))
    page = client.get(sign.get_absolute_url()).content.decode()
    assert undo_url in page and 'name="comment" required' in page
    answer = client.post(undo_url, headers={"HX-Request": "true"}).content.decode()
    assert "Say in a comment why" in answer and "<html" not in answer
    client.post(undo_url, {"comment": "the bank was right"})
    assert state_of(sign) == "review"
    assert "the bank was right" in client.get(sign.get_absolute_url()).content.decode()
    told = client.get(reverse("journey"), {"reconciliation": "trades", "key": "A"}).content.decode()
    assert "undone, back in review" in told and "the bank was right" in told


def test_another_team_finds_nothing_to_undo(
    sign: Break, trades: Reconciliation, client: Client, person: Callable[[str], User]
) -> None:
    decision = decide(brk=sign, action="reject", by=person("Analyst"))
    Reconciliation.objects.update(team=Team.objects.create(code="desk"))
    client.force_login(person("Manager"))
    assert client.post(reverse("undo", args=[decision.pk]), {"comment": "x"}).status_code == 404
    url = f"/api/v1/decisions/{decision.pk}/undo"
    assert client.post(url, {"comment": "x"}, headers={"Idempotency-Key": "1"}).status_code == 404


def test_the_admin_undoes_in_place(sign: Break, client: Client, staff: Callable[[str], User]) -> None:
    user = staff("Supervisor")
    decision = decide(brk=sign, action="approve", by=user)
    page = client.get(reverse("admin:reconciliation_break_change", args=[sign.pk])).content.decode()
    url = reverse("admin:reconciliation_break_undo", args=[sign.pk])
    assert url in page and "within 10" in page
    later(decision)
    answer = client.post(url, {"decision": decision.pk}, headers={"HX-Request": "true"}).content.decode()
    assert "Say in a comment why" in answer and 'name="comment" required' in answer
    client.post(url, {"decision": decision.pk, "comment": "twice"})
    assert state_of(sign) == "review"
    page = client.get(reverse("admin:reconciliation_break_change", args=[sign.pk])).content.decode()
    assert "undone by supervisor" in page and problems() == []
    assert client.post(url, {"decision": "99999"}).status_code == 404


def test_rest_undoes_once_for_one_key(sign: Break, client: Client, person: Callable[[str], User]) -> None:
    client.force_login(person("API client"))
    made = client.post(
        f"/api/v1/breaks/{sign.pk}/decisions", {"action": "approve"}, headers={"Idempotency-Key": "a"}
    ).json()
    url = f"/api/v1/decisions/{made['id']}/undo"
    assert client.post(url).status_code == 400
    first, again = (client.post(url, headers={"Idempotency-Key": "b"}) for _ in range(2))
    assert (first.status_code, first.json()["state"], first.json()) == (201, "review", again.json())
    assert first.json()["undone_at"]
    late = client.post(url, headers={"Idempotency-Key": "c"})
    assert (late.status_code, late.json()["detail"][:24]) == (409, "api_client undid this de")
    assert client.post(url, {"why": "x"}, headers={"Idempotency-Key": "d"}).status_code == 400
    client.force_login(person("Auditor"))
    assert client.post(url, headers={"Idempotency-Key": "e"}).status_code == 403


def test_the_command_undoes(sign: Break, person: Callable[[str], User]) -> None:
    person("Supervisor")

    def run(*given: str) -> str:
        said = StringIO()
        call_command("decide", "A", "--reconciliation", "trades", "--user", "supervisor", *given, stdout=said)
        return said.getvalue()

    with pytest.raises(CommandError, match="Nobody decided the break of A; there is nothing to undo."):
        run("--undo")
    run("--action", "approve")
    later(Decision.objects.get())
    with pytest.raises(CommandError, match="Say in a comment why it is undone."):
        run("--undo")
    assert run("--undo", "--comment", "wrong") == "A: approved, undone (decision 1). The break is in review.\n".replace(
        "1", str(Decision.objects.get().pk)
    )
    with pytest.raises(CommandError, match="undid this decision already"):
        run("--undo", "--comment", "again")
    with pytest.raises(CommandError, match="not allowed with argument|one of the arguments"):
        run()
