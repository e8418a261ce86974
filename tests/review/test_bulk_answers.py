"""Many quarantined rows are answered at once, each as if by itself: looked at before, recorded row by row, taken back."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ingestion import custody
from ingestion.models import AuditEvent, Normalization, QuarantinedRow, Repair
from ingestion.quarantine import STATES, in_state, standing_rows
from reconciliation.models import Reconciliation, Team
from reconciliation.verify import seals
from reconciliation.visibility import visible_sources
from review.bulk_answers.answering import answer_all, look_at
from review.bulk_answers.choosing import (
    MOST,
    UnseenRow,
    choose_answered,
    choose_filtered,
    choose_rows,
    visible_answers,
)
from review.bulk_answers.summary import summary_of
from review.models import BulkAnswer
from review.quarantined import Asked
from review.repair_rules import RepairRefused
from review.repairs import confirm_repair, dismiss, repair, withdraw_repair
from review.tokens import make_token
from tests.conftest import HEADER, problems, row

SHORT = "It has n cells where n were expected."
ASKED = Asked("left", None, SHORT)
MENDED = {"party": "Acme", "country": "DE", "amount": "5.00", "currency": "EUR"}
MANY = 103


@pytest.fixture
def broken(trades: Reconciliation, deliver: Callable[..., Normalization]) -> list[QuarantinedRow]:
    """Three rows of too few cells, beside one without a key."""
    short = [f"{key},2026-11-20,Acme DE,5.00,EUR" for key in "BCD"]
    deliver("left", "\n".join([HEADER, row("A"), *short, ",2026-11-20,Acme,DE,1.00,EUR"]) + "\n")
    return list(QuarantinedRow.objects.order_by("record_number")[:3])


def _counts(user: User) -> dict[str, int]:
    rows = standing_rows(visible_sources(user))
    return {state: found for state in STATES if (found := in_state(rows, state).count())}


def _results(answer: BulkAnswer) -> list[tuple[bool, str]]:
    return [(it.repair_id is not None, it.said) for it in answer.results.order_by("row")]


def test_all_that_match_are_dismissed_and_withdrawn(broken: list[QuarantinedRow], person: Callable[..., User]) -> None:
    by = person("Analyst")
    chosen = choose_filtered(action="dismiss", asked=ASKED, by=by)
    seen = summary_of(chosen, by)
    assert [(it.source, it.reason, it.count) for it in seen.groups] == [("Left", SHORT, 3)]
    assert (seen.rows, seen.count, seen.proposals, seen.left_alone, seen.elsewhere) == (3, 3, 0, [], [])
    assert not Repair.objects.exists() and problems() == []  # a look writes nothing that is under custody
    given = answer_all(answer=chosen, by=by, comment=" a rule of the desk ")
    assert (given.done, given.skipped, _counts(by)) == (3, 0, {"open": 1, "dismissed": 3})
    assert answer_all(answer=chosen, by=by, comment="again").comment == "a rule of the desk"  # sent twice, given once
    alone = dismiss(row=QuarantinedRow.objects.get(record_number=5), comment="a rule of the desk", by=by)
    made, one = AuditEvent.objects.filter(action="repair.made").order_by("pk"), Repair.objects.exclude(pk=alone.pk)
    assert [it.after for it in made][:3] == [
        {"repair": it.pk, "action": "dismiss", "comment": "a rule of the desk", "answer": given.pk}
        for it in one.order_by("pk")
    ]
    assert {it.object_id for it in made} == {str(it.pk) for it in QuarantinedRow.objects.all()}
    assert len({(it.name.rpartition(" ")[0], it.kind, it.reconciliation) for it in made}) == 1  # as one alone is told
    whole = AuditEvent.objects.get(action="rows.answered")
    assert whole.after is not None and (whole.after["done"], whole.after["chosen"]) == (
        3,
        f'source left, reason "{SHORT}", state open',
    )
    withdraw_repair(repair=one.earliest("pk"), by=by)
    back = answer_all(answer=choose_answered(action="withdraw", of=given, by=by), by=by)
    assert (back.done, back.skipped, _counts(by)) == (2, 1, {"open": 3, "dismissed": 1})
    assert _results(back) == [(False, "Nothing stands about it."), (True, ""), (True, "")]
    assert AuditEvent.objects.filter(action="repair.withdrawn").count() == 3 and problems() == []


def test_under_four_eyes_another_person_confirms_them_all(
    broken: list[QuarantinedRow], trades: Reconciliation, person: Callable[..., User]
) -> None:
    trades.four_eyes = True
    trades.save()
    custody.seal([trades])
    by, other = person("Supervisor"), person("Manager")
    chosen = choose_filtered(action="dismiss", asked=ASKED, by=by)
    assert summary_of(chosen, by).proposals == 3
    given = answer_all(answer=chosen, by=by, comment="why")
    repair(row=QuarantinedRow.objects.get(record_number=5), cells=MENDED | {"id": "E"}, comment="why", by=by)
    assert _counts(by) == {"waiting": 4}
    waiting = Asked("left", state="waiting")
    own = answer_all(answer=choose_filtered(action="confirm", asked=waiting, by=by), by=by)
    assert own.done == 0 and _results(own)[0] == (False, "Nobody confirms their own proposal. Another person must.")
    confirmed = answer_all(answer=choose_filtered(action="confirm", asked=waiting, by=other), by=other)
    assert (confirmed.done, confirmed.skipped) == (3, 1) and "on its own page" in _results(confirmed)[3][1]
    assert set(Repair.objects.filter(action="dismiss").values_list("confirmed_by", "confirmed_at")) == {
        (other.pk, confirmed.answered_at)
    }
    assert _counts(by) == {"waiting": 1, "dismissed": 3} and problems() == []
    assert answer_all(answer=choose_answered(action="confirm", of=given, by=other), by=other).done == 0
    with pytest.raises(RepairRefused, match="A Supervisor or a Manager confirms"):
        answer_all(answer=choose_answered(action="confirm", of=given, by=other), by=person("Analyst"))


def _said_alone(act: Callable[[], Repair]) -> str:
    """What one answer is refused with; empty where it is given, which is not kept."""
    with transaction.atomic():
        try:
            act()
        except RepairRefused as refused:
            return str(refused)
        finally:
            transaction.set_rollback(True)
    return ""


@pytest.mark.parametrize("confirmed", [False, True])
def test_one_and_many_are_refused_in_the_same_words(
    confirmed: bool, broken: list[QuarantinedRow], trades: Reconciliation, person: Callable[..., User]
) -> None:
    trades.four_eyes = True
    trades.save()
    custody.seal([trades])
    ann, eve, analyst = person("Supervisor", "ann"), person("Supervisor", "eve"), person("Analyst", "al")
    said = dismiss(row=broken[0], comment="why", by=ann)
    if confirmed:
        said = confirm_repair(repair=said, by=eve)
    one: dict[str, Callable[[User], Repair]] = {
        "dismiss": lambda by: dismiss(row=broken[0], comment="why", by=by),
        "confirm": lambda by: confirm_repair(repair=said, by=by),
        "withdraw": lambda by: withdraw_repair(repair=said, by=by),
    }
    asked = [("withdraw", it) for it in (ann, eve, analyst)] + [("confirm", it) for it in (ann, eve)]
    for action, by in asked + [("dismiss", eve)] * confirmed:  # what is open is confirmed by who dismisses it alone
        alone = _said_alone(lambda: one[action](by))  # noqa: B023 - called at once
        many = look_at(choose_rows(action=action, ids=[broken[0].pk], by=by), by)
        assert [it.refusal for it in many] == [alone], (action, by.username)


def test_rows_that_moved_on_are_left_alone_and_said_so(
    broken: list[QuarantinedRow], trades: Reconciliation, deliver: Callable[..., Normalization], person: Callable[..., User]
) -> None:  # fmt: skip
    by, other = person("Analyst"), person("Analyst", "ann")
    chosen = choose_rows(action="dismiss", ids=[it.pk for it in broken], by=by)
    dismiss(row=broken[0], comment="why", by=other)
    repair(row=broken[1], cells=MENDED, comment="why", by=other)
    assert sum(count for _, count in summary_of(chosen, by).left_alone) == 2
    deliver("left", "\n".join([HEADER, row("F"), "G,2026-11-20,Acme DE,5.00,EUR"]) + "\n")  # comes too late
    given = answer_all(answer=chosen, by=by, comment="why")
    assert _results(given) == [
        (False, "Dismissed by ann already. Withdraw that first."),
        (False, "Repaired by ann already. Withdraw that first."),
        (True, ""),
    ]
    mine = choose_filtered(action="withdraw", asked=Asked("left", state="dismissed"), by=by)
    assert _results(answer_all(answer=mine, by=by)) == [
        (False, "ann, a Supervisor or a Manager withdraws this."), (True, ""),
    ]  # fmt: skip
    gone = choose_rows(action="dismiss", ids=[broken[2].pk], by=by)
    trades.team = Team.objects.create(code="fx")
    trades.save()
    assert not visible_answers(by).exists()
    assert _results(answer_all(answer=gone, by=by, comment="why")) == [
        (False, "It is no longer in the quarantine, or not yours to see.")
    ]


def test_what_cannot_be_is_refused_and_nothing_is_written(
    broken: list[QuarantinedRow], person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    by, auditor, ids = person("Analyst"), person("Auditor"), [it.pk for it in broken]
    for choose, sentence in (
        (lambda: choose_filtered(action="dismiss", asked=Asked(), by=by), "Narrow the list"),
        (lambda: choose_rows(action="dismiss", ids=[], by=by), "No row was chosen"),
        (lambda: choose_rows(action="dismiss", ids=range(MOST + 1), by=by), "at most 10,000"),
        (lambda: answer_all(answer=choose_rows(action="dismiss", ids=ids, by=by), by=by), "Say why"),
        (lambda: answer_all(answer=choose_rows(action="dismiss", ids=ids, by=by), by=by, comment="\0"), "NUL"),
        (lambda: answer_all(answer=choose_rows(action="dismiss", ids=ids, by=auditor), by=auditor), "Ask one of them"),
    ):  # fmt: skip
        with pytest.raises(RepairRefused, match=sentence):
            choose()
    with pytest.raises(UnseenRow):
        choose_rows(action="dismiss", ids=[*ids, 10**9], by=by)
    monkeypatch.setattr("review.bulk_answers.answering.TYPED_FROM", 2)
    with pytest.raises(RepairRefused, match="Type the number 3"):
        answer_all(answer=choose_rows(action="dismiss", ids=ids, by=by), by=by, comment="why", count=2)
    assert not Repair.objects.exists()
    assert answer_all(answer=choose_rows(action="dismiss", ids=ids, by=by), by=by, comment="why", count=3).done == 3


def test_many_rows_ask_no_more_queries_than_few(
    trades: Reconciliation, deliver: Callable[..., Normalization], person: Callable[..., User]
) -> None:
    deliver("left", "\n".join([HEADER, *(f"K{n},5.00" for n in range(MANY))]) + "\n")
    by, ids = person("Analyst"), list(QuarantinedRow.objects.order_by("pk").values_list("pk", flat=True))
    asked = []
    for some in (ids[:3], ids[3:]):
        with CaptureQueriesContext(connection) as queries:
            chosen = choose_rows(action="dismiss", ids=some, by=by)
            summary_of(chosen, by)
            answer_all(answer=chosen, by=by, comment="why", count=len(some))
        asked.append(len(queries))
    assert asked[1] <= asked[0] and Repair.objects.count() == MANY and problems() == []


def test_a_result_that_was_changed_by_hand_is_named(broken: list[QuarantinedRow], person: Callable[..., User]) -> None:
    by = person("Analyst")
    given = answer_all(answer=choose_filtered(action="dismiss", asked=ASKED, by=by), by=by, comment="why")
    for statement in (
        "UPDATE review_bulkanswer SET comment = 'x'",
        "UPDATE review_bulkanswerrow SET repair_id = NULL, said = 'x'",
        "DELETE FROM review_bulkanswerrow",
    ):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            named = list(seals())
            transaction.set_rollback(True)
        assert named == [f"bulk answer {given.pk} was changed by hand."], statement


def test_the_pages_lead_from_the_filter_to_the_results(
    broken: list[QuarantinedRow], trades: Reconciliation, client: Client, person: Callable[..., User]
) -> None:
    trades.four_eyes = True
    trades.save()
    listed, choose = f"{reverse('quarantine')}?source=left&reason={SHORT}", reverse("choose_rows")
    filters = {"source": "left", "reason": SHORT, "state": "open"}
    client.force_login(person("Auditor"))
    assert "Dismiss all" not in client.get(listed).content.decode()
    by = person("Supervisor")
    client.force_login(by)
    assert "Dismiss all 3 that match" in client.get(listed).content.decode()
    assert "that match" not in client.get(reverse("quarantine")).content.decode()
    told = client.post(choose, {"whole": "dismiss"}, follow=True).content.decode()
    assert "Narrow the list to a source" in told
    address = client.post(choose, {**filters, "whole": "dismiss"}).headers["Location"]
    preview = client.get(address).content.decode()
    assert "Dismiss 3 rows" in preview and "3 of them become proposals" in preview
    give = f"{address}give/"
    assert "Say why in the comment" in client.post(give, {"comment": ""}).content.decode()
    client.force_login(person("Manager"))
    assert client.get(address).status_code == client.post(give, {"comment": "why"}).status_code == 404  # another's
    client.force_login(by)
    assert client.post(give, {"comment": "why"}).headers["Location"] == address
    client.post(give, {"comment": "why"})
    assert Repair.objects.count() == 3 and "3 dismissals proposed" in client.get(address).content.decode()
    given = client.get(address).content.decode()
    assert "Withdraw 3" in given and " UTC</span>" in given
    client.force_login(person("Analyst"))
    assert "Withdraw" not in client.get(address).content.decode()  # who proposed it does, or who confirms
    client.force_login(User.objects.get(username="manager"))
    assert "Confirm 3" in client.get(address).content.decode()
    confirming = client.post(choose, {"answer": address.split("/")[2], "action": "confirm"}).headers["Location"]
    assert "3 rows confirmed" in client.post(f"{confirming}give/", follow=True).content.decode()
    assert _counts(by) == {"open": 1, "dismissed": 3}
    assert client.post(choose, {"row": "1000000", "action": "withdraw"}).status_code == 404


def test_programs_answer_with_the_filter_and_the_count(
    broken: list[QuarantinedRow], client: Client, person: Callable[..., User]
) -> None:
    token = make_token(user=person("API client"), name="t", scopes=["read", "decide"])
    keys = iter(map(str, range(100)))

    def post(**body: Any) -> Any:  # noqa: ANN401
        headers = {"Authorization": f"Token {token}", "Idempotency-Key": next(keys)}
        return client.post("/api/v1/bulk-answers", body, headers=headers, content_type="application/json")

    filters = {"source": "left", "reason": SHORT}
    dry = post(action="dismiss", filters=filters, dry_run=True)
    assert (dry.status_code, dry.json()["count"], dry.json()["left_alone"]) == (200, 3, {})
    moved = post(action="dismiss", filters=filters, comment="why", count=2)
    assert moved.status_code == 409 and "3 rows now, not 2" in moved.json()["detail"]
    assert not BulkAnswer.objects.exists()  # neither a look nor a refusal leaves anything behind
    for body, sentence in (
        ({"filters": filters, "rows": [1]}, "Give either"), ({"filters": {**filters, "colour": "red"}}, "no such field"),
        ({"filters": {"date": "soon"}}, "no date such as"), ({"filters": {"state": "gone", "source": "left"}}, "no state"),
    ):  # fmt: skip
        answer = post(action="dismiss", **body)
        assert answer.status_code == 400 and sentence in answer.content.decode()
    assert post(action="confirm", filters=filters, count=3).status_code == 400
    assert post(action="dismiss", rows=[10**9], comment="why", count=1).status_code == 404
    made = post(action="dismiss", filters=filters, comment="why", count=3)
    assert made.status_code == 201 and (made.json()["done"], made.json()["skipped"]) == (3, 0)
    address, headers = f"/api/v1/bulk-answers/{made.json()['id']}", {"Authorization": f"Token {token}"}
    rows = client.get(f"{address}/rows?state=done", headers=headers).json()["results"]
    assert {it["row"] for it in rows} == {it.pk for it in broken} and all(it["repair"] for it in rows)
    assert client.get(f"{address}/rows?state=skipped", headers=headers).json()["results"] == []
    assert post(action="withdraw", answer=made.json()["id"], count=3).json()["done"] == 3
    assert [it["action"] for it in client.get("/api/v1/bulk-answers", headers=headers).json()["results"]] == [
        "withdraw", "dismiss",
    ]  # fmt: skip
