"""Labels that contradict the model where it would have let a record through: another person looks, blind, before they teach."""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from attribution.label_import import import_labels
from attribution.models import Attribution, Correction, Draw, SecondOpinion
from ingestion.models import AuditEvent
from reconciliation.custody import seal_breaks
from reconciliation.models import Break, Reconciliation, Run, Team
from review.audits import answer_audit, differences_of
from review.decisions import decide
from review.models import Decision
from review.second_opinions import AlreadyAnswered, OpinionRefused, answer_opinion
from review.undoing import undo
from tests.conftest import problems, row
from tests.standing import lake_folder  # noqa: F401

FUNCTIONAL, ERROR, OTHER = "ACCRUAL_DIFF", "MANUAL_ENTRY_ERR", "FX_VARIANCE"


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> Run:
    """Two differing records that the gate holds, since their amounts fail a check."""
    return standing([row("A", "5000.00"), row("B", "5000.00")], [row("A", "5007.13"), row("B", "5007.13")])


def let_model_say(brk: Break, reason: str = FUNCTIONAL, share: str = "0.97") -> None:
    """As a model would have said it."""
    before = Attribution.objects.get(difference__brk=brk, current=True)
    Attribution.objects.filter(pk=before.pk).update(current=False)
    Attribution.objects.create(
        difference=before.difference,
        reason_id=reason,
        functional=reason in (FUNCTIONAL, OTHER),
        confidence=Decimal(share),
        functional_share=Decimal(share),
        assigned_by="model:1",
        run=before.run,
        assigned_at=timezone.now(),
    )
    brk.reason = reason
    brk.save()
    seal_breaks([brk.pk])


@pytest.fixture
def brk(made: Run, db: None) -> Break:
    """A break of which the model was sure that its cause is functional."""
    found = Break.objects.get(key="A")
    let_model_say(found)
    return found


def say(brk: Break, by: User, reason: str = ERROR) -> Correction:
    """A person's final word, and its label."""
    decision = decide(brk=brk, action="override", reason=reason, values={"amount": "50.00"}, by=by)
    return Correction.objects.get(decision=decision.pk)


@pytest.mark.parametrize(
    ("model", "share", "person_says", "waits"),
    [
        (FUNCTIONAL, "0.97", ERROR, True),
        (FUNCTIONAL, "0.90", ERROR, True),
        (FUNCTIONAL, "0.899", ERROR, False),
        (FUNCTIONAL, "0.97", OTHER, False),
        (ERROR, "0.97", ERROR, False),
    ],
)
def test_only_an_error_against_a_sure_model_waits(
    made: Run, person: Callable[..., User], model: str, share: str, person_says: str, *, waits: bool
) -> None:
    brk = Break.objects.get(key="A")
    let_model_say(brk, model, share)
    label = say(brk, person("Analyst"), person_says)
    assert (label.active, label.waiting_since is not None) == (not waits, waits)
    assert SecondOpinion.objects.count() == waits and problems() == []


def test_the_same_reason_releases_the_label_and_another_takes_its_place(
    brk: Break, person: Callable[..., User]
) -> None:
    analyst, other, second = person("Analyst"), Break.objects.get(key="B"), person("Supervisor")
    let_model_say(other)
    first, contested = say(brk, analyst), say(other, analyst)
    answer_opinion(opinion=first.opinion, reason=ERROR, by=second)  # type: ignore[attr-defined]
    done = answer_opinion(opinion=contested.opinion, reason=OTHER, by=second, comment=" rates ")  # type: ignore[attr-defined]
    assert (done.answered_by, done.comment) == ("supervisor", "rates")
    told = (
        AuditEvent.objects.filter(action="opinion.given").order_by("id").values_list("before__reason", "after__reason")
    )
    assert list(told) == [(ERROR, ERROR), (ERROR, OTHER)]
    assert set(Correction.objects.filter(active=True).values_list("difference__brk__key", "reason", "confirmed_by")) == {
        ("A", ERROR, "analyst"), ("B", OTHER, "supervisor"),
    }  # fmt: skip
    assert Attribution.objects.get(difference__brk=other, current=True).reason_id == ERROR
    assert problems() == []
    undo(decision=Decision.objects.get(brk=other), by=analyst)
    assert [it.difference.brk_id for it in Correction.objects.standing()] == [brk.pk]
    assert Attribution.objects.get(difference__brk=other, current=True).assigned_by == "model:1"
    assert problems() == []


def test_nobody_answers_their_own_and_one_answer_is_given(
    brk: Break, trades: Reconciliation, person: Callable[..., User]
) -> None:
    analyst, second = person("Analyst"), person("Supervisor")
    opinion = say(brk, analyst).opinion  # type: ignore[attr-defined]
    for by, reason, fault in (
        (analyst, ERROR, "Nobody gives the second opinion on their own label."),
        (person("Auditor"), ERROR, "Analysts, Supervisors and Managers give second opinions."),
        (second, "UNKNOWN", "There is no active reason 'UNKNOWN' to learn from."),
        (second, "NONE", "There is no active reason 'NONE'"),
    ):
        with pytest.raises(OpinionRefused, match=fault):
            answer_opinion(opinion=opinion, reason=reason, by=by)
    with pytest.raises(IntegrityError, match="second_opinion_by_another"), transaction.atomic():
        given = {"answered_by": "analyst", "answered_at": timezone.now(), "reason_id": ERROR}
        SecondOpinion.objects.filter(pk=opinion.pk).update(**given)
    answer_opinion(opinion=opinion, reason=ERROR, by=second)
    with pytest.raises(AlreadyAnswered, match="supervisor gave the second opinion on this label already."):
        answer_opinion(opinion=opinion, reason=OTHER, by=person("Manager"))
    assert problems() == []


def test_who_proposed_under_four_eyes_is_no_second_reviewer(
    brk: Break, trades: Reconciliation, person: Callable[..., User], client: Client
) -> None:
    Reconciliation.objects.update(four_eyes=True)
    proposer, confirmer = person("Analyst"), person("Supervisor")
    given = {"action": "override", "reason": ERROR, "values": {"amount": "50.00"}}
    decide(brk=brk, by=proposer, **given)  # type: ignore[arg-type]
    decide(brk=brk, by=confirmer, **given)  # type: ignore[arg-type]
    for by in (proposer, confirmer):
        with pytest.raises(OpinionRefused, match="on their own label"):
            answer_opinion(opinion=SecondOpinion.objects.get(), reason=ERROR, by=by)
    client.force_login(proposer)
    assert "No label waits for your opinion" in client.get(reverse("second_opinions")).content.decode()


def test_an_undone_label_waits_for_nobody(brk: Break, person: Callable[..., User]) -> None:
    analyst = person("Analyst")
    opinion = say(brk, analyst).opinion  # type: ignore[attr-defined]
    undo(decision=Decision.objects.get(), by=analyst)
    with pytest.raises(AlreadyAnswered, match="taken back or replaced since"):
        answer_opinion(opinion=opinion, reason=ERROR, by=person("Supervisor"))
    assert not Correction.objects.standing().exists() and problems() == []


def test_imported_labels_wait_too_and_a_second_opinion_stands_against_files(
    brk: Break, person: Callable[..., User], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def give(reason: str) -> Path:
        file = tmp_path / "labels.csv"
        file.write_text(f"reconciliation,key,field,reason\ntrades,A,amount,{reason}\n")
        return file

    call_command("import_corrections", str(give(ERROR)))
    assert "1 of them contradict the model and wait for a second opinion." in capsys.readouterr().out
    label = Correction.objects.get()
    assert vars(import_labels(file=give(ERROR), by="ann")) == {"written": 0, "known": 1, "kept": 0, "waiting": 0}
    undo(decision=decide(brk=brk, action="reject", by=person("Analyst")), by=User.objects.get())
    assert Correction.objects.standing().get() == label and SecondOpinion.objects.get().answered_at is None
    answer_opinion(opinion=SecondOpinion.objects.get(), reason=OTHER, by=person("Supervisor"))
    assert vars(import_labels(file=give(ERROR), by="ann"))["kept"] == 1
    assert Correction.objects.get(active=True).reason_id == OTHER and problems() == []


def test_the_pages_are_blind(brk: Break, client: Client, person: Callable[..., User]) -> None:
    analyst, second = person("Analyst"), person("Supervisor")
    opinion = say(brk, analyst).opinion  # type: ignore[attr-defined]
    client.force_login(second)
    listed = client.get(reverse("second_opinions")).content.decode()
    url, answer = (reverse(name, args=[opinion.pk]) for name in ("second_opinion", "answer_second_opinion"))
    assert url in listed and 'Opinions <span class="count">1</span>' in listed
    page = client.get(url).content.decode()
    assert "5,007.13" in page.replace("<mark", "").replace("</mark>", "") or "7.13" in page
    told = re.sub(r'"[\w-]{20,}"', "", page)  # tokens and nonces hold any digits
    assert "model:1" not in told and "97" not in told and "analyst" not in told and " selected" not in told
    name = f"reason:{opinion.correction.difference_id}"
    assert "Choose a reason for amount." in client.post(answer, {"comment": "kept"}).content.decode()
    assert "Thank you." in client.post(answer, {name: ERROR}, follow=True).content.decode()
    assert Correction.objects.get().active
    late = client.post(answer, {name: OTHER}, follow=True).content.decode()
    assert "supervisor gave the second opinion on this label already." in late
    assert "does not wait for your opinion" in client.get(url, follow=True).content.decode()
    client.force_login(person("Auditor"))
    assert client.get(url).status_code == 403


def test_rest_gives_one_opinion(brk: Break, client: Client, person: Callable[..., User]) -> None:
    opinion = say(brk, person("Analyst")).opinion  # type: ignore[attr-defined]
    client.force_login(person("Supervisor"))
    (listed,) = client.get("/api/v1/second-opinions/").json()["results"]
    assert (listed["key"], listed["value_b"], set(listed) & {"reason", "because", "said_by"}) == ("A", "5007.13", set())
    url = f"/api/v1/second-opinions/{opinion.pk}/answers"
    assert client.post(url, {"reason": "NONE"}, headers={"Idempotency-Key": "1"}).status_code == 400
    made = client.post(url, {"reason": ERROR}, headers={"Idempotency-Key": "2"})
    assert (made.status_code, made.json()["answered_by"]) == (201, "supervisor")
    assert client.post(url, {"reason": ERROR}, headers={"Idempotency-Key": "2"}).json() == made.json()
    assert client.post(url, {"reason": ERROR}, headers={"Idempotency-Key": "3"}).status_code == 409
    assert client.get("/api/v1/second-opinions/").json()["results"] == []


def test_another_team_sees_none(
    brk: Break, trades: Reconciliation, client: Client, person: Callable[..., User]
) -> None:
    opinion = say(brk, person("Analyst")).opinion  # type: ignore[attr-defined]
    Reconciliation.objects.update(team=Team.objects.create(code="desk"))
    client.force_login(person("Supervisor"))
    assert client.get(reverse("second_opinion", args=[opinion.pk])).status_code == 404
    assert "No label waits" in client.get(reverse("second_opinions")).content.decode()
    url = f"/api/v1/second-opinions/{opinion.pk}/answers"
    assert client.post(url, {"reason": ERROR}, headers={"Idempotency-Key": "1"}).status_code == 404


def test_an_error_that_two_auditors_named_waits_for_nobody(
    reconcile: Callable[..., Run], person: Callable[..., User]
) -> None:
    """Neither when they say so, nor when a third person decides so."""
    reconcile([row(key, "10.25") for key in "PQ"], [row(key, "10.00") for key in "PQ"])
    ann, bob = person("Analyst", "ann"), person("Analyst", "bob")
    sure, alone = Draw.objects.filter(purpose="audit").order_by("pk")
    for draw in (sure, alone):
        let_model_say(draw.brk)
    answer_audit(draw=sure, by=ann, reasons=dict.fromkeys([it.pk for it in differences_of(sure)], ERROR))
    answer_audit(draw=alone, by=ann, reasons=None)
    for draw in (sure, alone):
        answer_audit(draw=draw, by=bob, reasons=dict.fromkeys([it.pk for it in differences_of(draw)], ERROR))
    waiting = SecondOpinion.objects.values_list("correction__difference__brk", flat=True)
    assert list(waiting) == [alone.brk_id]  # only one person found an error there
    decide(
        brk=Break.objects.get(pk=sure.brk_id),
        action="override",
        reason=ERROR,
        values={"amount": "9.00"},
        by=person("Supervisor"),
    )
    assert list(waiting.all()) == [alone.brk_id] and problems() == []
