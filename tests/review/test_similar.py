"""Similar past breaks: those of the same reconciliation that look alike, with what people decided of them."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from attribution.nearness import Look, nearness
from reconciliation.models import Access, Break, Reconciliation, Run
from review.decisions import decide
from review.similar import LATEST, similar_breaks
from review.tokens import make_token
from tests.attribution.test_learning import labels, told  # noqa: F401 - a fixture
from tests.conftest import DAY, row

EVERYTHING = Access(range(1 << 40))


@pytest.fixture
def past(reconcile: Callable[..., Run], person: Callable[..., User]) -> User:
    """A day of fees at Acme and of wild amounts at Brokers that people decided."""
    keys = [f"P{n}" for n in range(8)]
    left = [row(key, f"{100 + n}.50", party="Acme" if n < 5 else "Brokers") for n, key in enumerate(keys)]
    right = [row(key, f"{97 + n}.50" if n < 5 else f"{n * 90}.00", party="Acme" if n < 5 else "Brokers")
             for n, key in enumerate(keys)]  # fmt: skip
    reconcile(left, right)
    supervisor = person("Supervisor", "sue")
    for n, brk in enumerate(Break.objects.order_by("key")):
        how = {"action": "override", "reason": "ACCRUAL_DIFF"} if n < 4 else {"action": "reject"}
        decide(brk=brk, by=supervisor, comment=f"case {n}", **how)
    return supervisor


def again(reconcile: Callable[..., Run], a: str = "300.10", b: str = "297.10") -> Break:
    """A new break on the next day."""
    reconcile([row("NEW", a, "2026-11-23")], [row("NEW", b, "2026-11-23")], DAY.replace(day=23))
    return Break.objects.select_related("reconciliation").get(key="NEW")


def test_alike_ones_come_first_with_their_decisions(past: User, reconcile: Callable[..., Run]) -> None:
    (found,) = similar_breaks(again(reconcile), EVERYTHING)
    assert (found.field, found.seen, found.alike) == ("amount", 8, 5)
    assert found.summary == "4 of 5 alike were overridden as ACCRUAL_DIFF."
    assert {it.key for it in found.past} == {"P0", "P1", "P2", "P3", "P4"}
    first = next(it for it in found.past if it.key == "P0")
    assert (first.who, first.comment, first.value_a, first.value_b) == ("sue", "case 0", "100.50", "97.50")
    assert [it.alike for it in found.past] == sorted((it.alike for it in found.past), reverse=True)


def test_another_gap_is_not_alike(past: User, reconcile: Callable[..., Run]) -> None:
    (found,) = similar_breaks(again(reconcile, "300.00", "990.00"), EVERYTHING)
    assert not {it.key for it in found.past} & {"P0", "P1", "P2", "P3", "P4"}


def test_imported_labels_are_decisions_too(
    trades: Reconciliation,
    reconcile: Callable[..., Run],
    labels: Callable[..., object],  # noqa: F811
) -> None:
    reconcile([row("L", "50.50")], [row("L", "47.50")])
    told("import_corrections", str(labels([("L", "ACCRUAL_DIFF")])))
    (found,) = similar_breaks(again(reconcile), EVERYTHING)
    assert found.summary == "The one that is alike was labelled as ACCRUAL_DIFF."
    assert found.past[0].action == "label"


def test_whole_rows_have_similar_ones(reconcile: Callable[..., Run], person: Callable[..., User]) -> None:
    reconcile([row("L1"), row("L2", party="Brokers")], [row("X")])
    by = person("Supervisor")
    for brk in Break.objects.filter(kind="missing_in_b"):
        decide(brk=brk, by=by, action="reject")
    reconcile([row("L3", "70.00", "2026-11-23")], [row("Y")], DAY.replace(day=23))
    (found,) = similar_breaks(Break.objects.get(key="L3"), EVERYTHING)
    assert (found.shown, found.seen) == ("the whole row", 2)
    assert found.past[0].key == "L1" and "rejected as MISSING_SOURCE_B" in found.summary


def test_page_and_program_show_them_in_one_query(
    past: User, reconcile: Callable[..., Run], client: Client, person: Callable[..., User],
    django_assert_num_queries: Callable[..., object],
) -> None:  # fmt: skip
    brk = again(reconcile)
    with django_assert_num_queries(1):
        brk = Break.objects.select_related("reconciliation__a__record_type").get(pk=brk.pk)
    with django_assert_num_queries(2):  # the record type's fields are the other one
        similar_breaks(brk, EVERYTHING)
    client.force_login(person("Analyst"))
    page = client.get(reverse("similar", args=[brk.pk])).content.decode()
    assert "4 of 5 alike were overridden as ACCRUAL_DIFF." in page and "Overridden as ACCRUAL_DIFF" in page
    token = make_token(user=person("API client"), name="reader", scopes=["read"])
    answer = client.get(f"/api/v1/breaks/{brk.pk}/similar", headers={"Authorization": f"Token {token}"})
    (found,) = answer.json()
    assert (found["alike"], found["outcomes"][0]) == (5, {"outcome": "overridden as ACCRUAL_DIFF", "breaks": 4})


def test_of_very_many_only_the_latest_are_looked_at(past: User, reconcile: Callable[..., Run]) -> None:
    brk = again(reconcile)
    of = Break.objects.filter(key="P0").values().get()
    made = [Break(**{**of, "id": None, "key": f"M{n}"}) for n in range(LATEST + 5)]
    Break.objects.bulk_create(made)
    assert similar_breaks(brk, EVERYTHING)[0].seen <= LATEST


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        (("10.00", "7.00"), ("900.00", "897.00"), 1.0, 1.0),  # the same amount
        (("10.00", "9.00"), ("900.00", "810.00"), 1.0, 1.0),  # the same share
        (("10.00", "9.00"), ("900.00", "1.00"), 0.0, 0.6),
        (("10.00", "9.00"), ("10.00", "11.00"), 0.5, 0.9),  # the other direction
        (("2026-01-01", "2026-01-02"), ("2026-03-01", "2026-03-02"), 1.0, 1.0),
        (("Acme", "Acne"), ("Brokers", "Brakers"), 1.0, 1.0),
        ((None, "9.00"), (None, "8.00"), 1.0, 1.0),
        ((None, "9.00"), ("1.00", "8.00"), 0.0, 0.0),
        (("NaN", "1e999999"), ("1", "2"), 0.0, 0.0),
        (("0", "5"), ("0", "5"), 1.0, 1.0),
    ],
)  # fmt: skip
def test_nearness_looks_at_the_gap(one: tuple[str, str], other: tuple[str, str], least: float, most: float) -> None:
    found = nearness(Look(*one, ()), Look(*other, ()))
    assert least - 1e-9 <= found <= most + 1e-9
    assert found == nearness(Look(*other, ()), Look(*one, ()))
    assert nearness(Look(*one, ("Acme",)), Look(*other, ("Brokers",))) < nearness(
        Look(*one, ("Acme",)), Look(*other, ("Acme",))
    )
