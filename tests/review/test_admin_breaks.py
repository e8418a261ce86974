"""The admin's books: every list and page opens within a few queries, scoped, and a break is decided there."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from attribution.models import Correction
from ingestion.models import Delivery, QuarantinedRow, Source
from reconciliation.models import Break, Member, Reconciliation, Run, Team
from reconciliation.store.current import stored_versions
from review.models import Decision
from tests.conftest import problems, row
from tests.standing import lake_folder  # noqa: F401

QUERIES = 12
LISTS = (
    "ingestion_source", "ingestion_delivery", "ingestion_quarantinedrow", "reconciliation_reconciliation",
    "reconciliation_run", "reconciliation_break", "reconciliation_team", "attribution_correction",
    "attribution_modelversion", "review_decision", "attribution_reason", "ingestion_calendar", "ingestion_holiday",
    "ingestion_codetranslation", "ingestion_recordtype", "review_apitoken",
)  # fmt: skip


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> int:
    """A run with some of everything."""
    left = [row("A", "10.00"), row("B", "10.25"), row("U", "7.00"), row("D"), row("D"), row("G", "5000.00"), "x,y"]
    return standing(left, [row("A", "-10.00"), row("B", "10.00"), row("U", "912.40"), row("G", "5000.00")]).pk


@pytest.fixture
def run(made: int, db: None) -> Run:
    """That run, for one test."""
    return Run.objects.get(pk=made)


def page_of(brk: Break) -> str:
    """A break's address in the admin."""
    return reverse("admin:reconciliation_break_change", args=[brk.pk])


def test_the_admin_is_for_staff(run: Run, client: Client, person: Callable[[str], User]) -> None:
    index = reverse("admin:index")
    assert client.get(index, follow=True).redirect_chain[-1][0].startswith(reverse("login"))
    client.force_login(person("Manager"))
    assert client.get(index, follow=True).status_code == 403


def test_each_list_opens_in_few_queries_however_long_it_is(
    run: Run, reconcile: Callable[..., Run], client: Client, staff: Callable[[str], User]
) -> None:
    staff("Auditor")
    reconcile([row(f"L{n}") for n in range(30)], [row(f"R{n}") for n in range(30)])
    for name in LISTS:
        with CaptureQueriesContext(connection) as asked:
            page = client.get(reverse(f"admin:{name}_changelist"), {"q": ""})
        assert (name, page.status_code, len(asked) <= QUERIES) == (name, 200, True)
        assert client.get(reverse(f"admin:{name}_add")).status_code == 403


def test_each_page_opens_read_only_in_few_queries(run: Run, client: Client, staff: Callable[[str], User]) -> None:
    staff("Auditor")
    for thing in (Source, Delivery, QuarantinedRow, Reconciliation, Run, Break):
        name, pk = f"admin:{thing._meta.app_label}_{thing._meta.model_name}", thing.objects.first().pk
        with CaptureQueriesContext(connection) as asked:
            page = client.get(reverse(f"{name}_change", args=[pk]))
        assert (name, page.status_code, len(asked) <= QUERIES) == (name, 200, True)
        assert 'name="_save"' not in page.content.decode()
        assert client.post(reverse(f"{name}_delete", args=[pk]), {"post": "yes"}).status_code == 403


def test_an_approval_in_the_admin_stores_and_teaches(run: Run, client: Client, staff: Callable[[str], User]) -> None:
    user = staff("Supervisor")
    brk = Break.objects.get(key="A")
    page = client.get(page_of(brk)).content.decode()
    assert "B is A with the sign turned." in page and "Approve" in page
    url = reverse("admin:reconciliation_break_decide", args=[brk.pk])
    answer = client.post(url, {"action": "approve", "fingerprint": brk.fingerprint})
    assert answer.headers["Location"] == page_of(brk)
    decision = Decision.objects.get(brk=brk)
    assert (decision.action, decision.confirmed_by) == ("approve", user)
    assert Break.objects.get(pk=brk.pk).state == "approved"
    assert str(stored_versions(run.reconciliation.record_type, "A")[0]["amount"]) == "10.00"
    correction = Correction.objects.get(decision=decision.pk)
    assert (correction.reason_id, correction.confirmed_by) == ("SIGN_FLIP", user.username)
    assert problems() == []
    assert "Correction" in client.get(page_of(brk)).content.decode()
    for one in (decision, correction):
        opts = one._meta
        assert client.get(reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[one.pk])).status_code == 200


def test_the_list_decides_in_its_rows(run: Run, client: Client, staff: Callable[[str], User]) -> None:
    staff("Supervisor")
    listed = client.get(reverse("admin:reconciliation_break_changelist"), {"state__exact": "review"}).content.decode()
    assert "Approve A" in listed and "Choose the row" in listed
    brk = Break.objects.get(key="A")
    url = reverse("admin:reconciliation_break_decide", args=[brk.pk]) + "?in=list"
    stale = client.post(url, {"action": "approve", "fingerprint": "0" * 64}, headers={"HX-Request": "true"})
    assert 'role="alert"' in stale.content.decode() and "Approve A" in stale.content.decode()
    done = client.post(url, {"action": "approve", "fingerprint": brk.fingerprint}, headers={"HX-Request": "true"})
    assert "Approved by supervisor." in done.content.decode() and "<html" not in done.content.decode()
    decision = Decision.objects.get(brk=brk)
    undo = reverse("admin:reconciliation_break_undo", args=[brk.pk]) + "?in=list"
    back = client.post(undo, {"decision": decision.pk}, headers={"HX-Request": "true"}).content.decode()
    assert "Approve A" in back and Break.objects.get(pk=brk.pk).state == "review" and problems() == []
    staff("Auditor")
    assert "Approve A" not in client.get(reverse("admin:reconciliation_break_changelist")).content.decode()


def test_an_override_gives_reason_and_value_in_place(run: Run, client: Client, staff: Callable[[str], User]) -> None:
    staff("Analyst")
    brk = Break.objects.get(key="U")
    given = {"action": "override", "reason": "MANUAL_ENTRY_ERR", "value:amount": "7.50", "comment": "asked the desk"}
    url = reverse("admin:reconciliation_break_decide", args=[brk.pk])
    answer = client.post(url, given, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in answer and "Approved" in answer and "MANUAL_ENTRY_ERR" in answer
    assert str(stored_versions(run.reconciliation.record_type, "U")[0]["amount"]) == "7.50"
    assert Correction.objects.get().reason_id == "MANUAL_ENTRY_ERR"
    assert problems() == []


def test_the_gate_and_a_lost_race_are_sentences(run: Run, client: Client, staff: Callable[[str], User]) -> None:
    staff("Manager")
    brk = Break.objects.get(key="G")
    url = reverse("admin:reconciliation_break_decide", args=[brk.pk])
    held = client.post(url, {"action": "approve"}, follow=True).content.decode()
    assert "Held by the gate." in held and Break.objects.get(pk=brk.pk).state == "review"
    waive = reverse("admin:reconciliation_break_waive", args=[brk.pk])
    condition = brk.refusals.get().condition
    assert "needs a comment" in client.post(waive, {"condition": condition}, follow=True).content.decode()
    assert (
        "Waived: seen" in client.post(waive, {"condition": condition, "comment": "seen"}, follow=True).content.decode()
    )
    client.post(url, {"action": "approve"})
    assert Break.objects.get(pk=brk.pk).state == "approved"
    assert "was decided already by manager" in client.post(url, {"action": "reject"}, follow=True).content.decode()
    assert problems() == []


def test_a_duplicate_stores_the_named_row(run: Run, client: Client, staff: Callable[[str], User]) -> None:
    staff("Supervisor")
    brk = Break.objects.get(key="D")
    second = Member.objects.get(brk=brk, position=2)
    url = reverse("admin:reconciliation_break_decide", args=[brk.pk])
    client.post(url, {"action": "approve", "member": second.pk})
    assert set(brk.members.with_fate().values_list("position", "fate")) == {(1, "duplicate"), (2, "stored")}
    assert problems() == []


def test_a_second_person_confirms_a_proposal(
    run: Run, trades: Reconciliation, client: Client, staff: Callable[[str], User], person: Callable[[str, str], User]
) -> None:
    Reconciliation.objects.filter(pk=trades.pk).update(four_eyes=True)
    brk = Break.objects.get(key="A")
    staff("Analyst")
    client.post(reverse("admin:reconciliation_break_decide", args=[brk.pk]), {"action": "approve"})
    proposal = Decision.objects.get(brk=brk)
    confirm = reverse("admin:reconciliation_break_confirm", args=[brk.pk])
    own = client.post(confirm, {"proposal": proposal.pk})
    assert own.status_code == 403 and "Nobody confirms their own proposal." in own.content.decode()
    assert "Withdraw" in client.get(page_of(brk)).content.decode()
    staff("Supervisor")
    assert "proposed by analyst" in client.get(page_of(brk)).content.decode()
    other = Break.objects.get(key="U")
    wrong = reverse("admin:reconciliation_break_confirm", args=[other.pk])
    assert client.post(wrong, {"proposal": proposal.pk}).status_code == 404
    client.post(confirm, {"proposal": proposal.pk})
    assert Break.objects.get(pk=brk.pk).state == "approved"


def test_an_auditor_sees_and_decides_nothing(run: Run, client: Client, staff: Callable[[str], User]) -> None:
    staff("Auditor")
    brk = Break.objects.get(key="A")
    assert "An Analyst, a Supervisor or a Manager decides" in client.get(page_of(brk)).content.decode()
    for name in ("decide", "waive", "confirm"):
        url = reverse(f"admin:reconciliation_break_{name}", args=[brk.pk])
        assert client.post(url, {"action": "approve"}).status_code == 403
        assert client.get(url).status_code == 405
    assert Break.objects.get(pk=brk.pk).state == "review" and not Decision.objects.exists()


def test_another_teams_books_are_closed(
    run: Run, trades: Reconciliation, client: Client, staff: Callable[[str], User]
) -> None:
    Reconciliation.objects.filter(pk=trades.pk).update(team=Team.objects.create(code="desk"))
    staff("Manager")
    brk = Break.objects.get(key="A")
    assert client.get(page_of(brk)).status_code == 404
    assert client.post(reverse("admin:reconciliation_break_decide", args=[brk.pk]), {}).status_code == 404
    for name in LISTS[:6]:
        page = client.get(reverse(f"admin:{name}_changelist")).content.decode()
        assert "0 " in page.split('class="paginator"')[1].split("</")[0]


@pytest.mark.parametrize("name", LISTS)
def test_a_strange_address_is_no_error(
    name: str, trades: Reconciliation, client: Client, staff: Callable[[str], User]
) -> None:
    staff("Auditor")
    url = reverse(f"admin:{name}_changelist")
    for query in ("q=%00", "reconciliation=%00", "source=x", "state__exact=%27;--", "p=x", "o=99", "nope=1", "q=%22a"):
        assert client.get(f"{url}?{query}").status_code in (200, 302, 400)
    huge = "9" * 40
    assert client.get(url + f"{huge}/change/").status_code in (302, 404)


def test_a_nul_in_a_form_is_a_sentence(run: Run, client: Client, staff: Callable[[str], User]) -> None:
    staff("Manager")
    brk = Break.objects.get(key="A")
    for name, given in (("decide", {"action": "approve", "comment": "a\0b"}), ("waive", {"condition": "a\0b"})):
        url = reverse(f"admin:reconciliation_break_{name}", args=[brk.pk])
        assert "A text holds a NUL character" in client.post(url, given, follow=True).content.decode()
    assert Break.objects.get(pk=brk.pk).state == "review"


def test_a_long_list_counts_its_first_rows_and_says_so(
    run: Run, staff: Callable[[str], User], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff("Manager")
    url = reverse("admin:reconciliation_break_changelist")
    assert "; search or filter for others" not in client.get(url).content.decode()
    monkeypatch.setattr("ingestion.admin.read_only.BoundedPaginator.most", 2)
    assert "The first 2 breaks; search or filter for others" in client.get(url).content.decode()
