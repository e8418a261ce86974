"""Two people answer the same quarantined rows at once, and one sends twice: each row is answered once, and both are told."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from ingestion.models import Normalization, QuarantinedRow, Repair
from reconciliation.models import Reconciliation
from review.bulk_answers.answering import answer_all
from review.bulk_answers.choosing import choose_filtered
from review.quarantined import Asked
from review.repair_rules import AlreadySaid
from review.repairs import dismiss
from tests.conftest import HEADER, problems
from tests.faults.conftest import meanwhile


@pytest.fixture
def broken(committed: None, trades: Reconciliation, deliver: Callable[..., Normalization]) -> None:  # noqa: F811
    """Five rows of too few cells."""
    deliver("left", "\n".join([HEADER, *(f"K{n},5.00" for n in range(5))]) + "\n")


def test_of_two_people_at_once_the_second_finds_the_rows_answered(broken: None, person: Callable[..., User]) -> None:
    ann, bob = person("Analyst", "ann"), person("Analyst", "bob")
    first, second = (choose_filtered(action="dismiss", asked=Asked("left"), by=by) for by in (ann, bob))
    waiting = meanwhile(
        lambda: answer_all(answer=first, by=ann, comment="a rule"),
        lambda: answer_all(answer=second, by=bob, comment="another"),
    ).result()
    assert (waiting.done, waiting.skipped) == (0, 5)
    assert set(waiting.results.values_list("said", flat=True)) == {"Dismissed by ann already. Withdraw that first."}
    assert list(Repair.objects.values_list("proposed_by", flat=True)) == [ann.pk] * 5 and problems() == []


def test_sent_twice_at_once_it_is_given_once(broken: None, person: Callable[..., User]) -> None:
    by = person("Analyst")
    chosen = choose_filtered(action="dismiss", asked=Asked("left"), by=by)
    again = meanwhile(
        lambda: answer_all(answer=chosen, by=by, comment="a rule"),
        lambda: answer_all(answer=chosen, by=by, comment="a rule"),
    ).result()
    assert (again.done, Repair.objects.count()) == (5, 5) and problems() == []


def test_one_row_alone_waits_for_all_of_them(broken: None, person: Callable[..., User]) -> None:
    by, one = person("Analyst"), QuarantinedRow.objects.earliest("pk")
    chosen = choose_filtered(action="dismiss", asked=Asked("left"), by=by)
    alone = meanwhile(
        lambda: answer_all(answer=chosen, by=by, comment="a rule"),
        lambda: dismiss(row=one, comment="why", by=by),
    )
    assert isinstance(alone.exception(), AlreadySaid) and Repair.objects.count() == 5
