"""What held-out labels prove: of records, of a fair sample, in whole."""

from decimal import Decimal

import numpy as np
import pandas as pd

from attribution.held_out import HeldOut, cut_at, prove, sample_of

DAY = pd.Timestamp("2026-11-20")
BOUNDS = (Decimal("0.10"), Decimal("0.05"), Decimal("0.02"), Decimal("0.01"))


def rows(count: int, **given: object) -> pd.DataFrame:
    """`count` records of one difference each, all right, with a score of 0.95."""
    usual: dict[str, object] = {
        "record": range(count), "score": 0.95, "is_wrong": False, "reason": "NETTING", "day": DAY, "amount": "10.00",
        "currency": "EUR", "is_whole": True, "drawn": None, "probability": np.nan,
    }  # fmt: skip
    return pd.DataFrame({**usual, **given}, index=range(count))


def test_a_record_scores_as_its_least_difference_and_is_wrong_where_one_is() -> None:
    held = HeldOut(rows(4, record=[1, 1, 2, 2], score=[0.99, 0.91, 0.95, 0.95], is_wrong=[False, False, True, False]))
    records = held.records
    assert list(records["score"]) == [0.91, 0.95]
    assert list(records["is_wrong"]) == [False, True]


def test_each_bound_asks_for_its_number_of_right_records() -> None:
    """ln(delta) / ln(1 - bound) records without an error: 29, 59, 149 and 299."""
    for count, bounds in ((28, []), (29, BOUNDS[:1]), (59, BOUNDS[:2]), (149, BOUNDS[:3]), (299, BOUNDS)):
        assert [it.bound for it in prove(HeldOut(rows(count)), BOUNDS, 0.9)] == list(bounds)


def test_nothing_below_the_floor_is_certified() -> None:
    assert prove(HeldOut(rows(500, score=0.89)), BOUNDS, 0.9) == []
    assert prove(HeldOut(rows(0)), BOUNDS, 0.9) == []


def test_money_is_counted_by_currency_and_a_reason_that_errs_does_not_pass() -> None:
    wrong = [n % 100 == 7 for n in range(600)]
    given = rows(
        600,
        is_wrong=wrong,
        reason=["FX_VARIANCE" if it else "NETTING" for it in wrong],
        currency=["USD" if n % 2 else "EUR" for n in range(600)],
        amount=["-1000.50" if it else "2.00" for it in wrong],
    )
    found = {str(it.bound): it for it in prove(HeldOut(given), BOUNDS, 0.9)}
    assert set(found) == {"0.10", "0.05", "0.02"}
    assert found["0.05"].money == {"EUR": ["600.00", "0"], "USD": ["6591.00", "6003.00"]}
    assert found["0.05"].reasons == {"NETTING": 0.95}


def test_a_reason_that_errs_below_a_score_passes_from_there_on() -> None:
    """Of 900 records 30 of SYSTEM_CONVERSION are wrong, all of them below 0.97: too many of its 200 there, not of its 400."""
    given = rows(
        1_300,
        score=[0.99] * 900 + [0.98] * 200 + [0.96] * 200,
        reason=["NETTING"] * 900 + ["SYSTEM_CONVERSION"] * 400,
        is_wrong=[False] * 1_100 + [n < 30 for n in range(200)],
    )
    found = {str(it.bound): it.reasons for it in prove(HeldOut(given), BOUNDS, 0.9)}
    assert found["0.10"] == {"NETTING": 0.96, "SYSTEM_CONVERSION": 0.96}
    assert found["0.05"] == {"NETTING": 0.96, "SYSTEM_CONVERSION": 0.98}
    assert found["0.02"] == {"NETTING": 0.98, "SYSTEM_CONVERSION": 0.98}  # there the threshold itself is stricter


def test_records_without_all_labels_and_of_no_number_do_no_harm() -> None:
    given = rows(500, is_whole=[n % 2 == 0 for n in range(500)], amount=["?", None, "NaN", "1e300", ""] * 100)
    assert len(sample_of(given)) == 250
    assert prove(HeldOut(sample_of(given)), BOUNDS, 0.9)


def test_where_records_passed_only_those_that_chance_drew_count_each_alike() -> None:
    drawn = ["audit"] * 4_000 + ["calibration"] * 1_000 + [None] * 1_000
    given = rows(6_000, drawn=drawn, probability=[0.5] * 4_000 + [0.1] * 1_000 + [np.nan] * 1_000)
    kept = sample_of(given)["drawn"].value_counts()
    assert kept["calibration"] == 1_000 and 720 < kept["audit"] < 880
    assert list(sample_of(given)["record"]) == list(sample_of(given)["record"])
    assert len(sample_of(given.assign(drawn=None))) == 6_000


def test_no_record_is_cut_in_two() -> None:
    assert cut_at([1, 2, 2, 2, 3], 0.4) == 4
    assert cut_at([1, 1], 0.4) == 2
    assert cut_at([1, 2, 3, 4, 5], 0.4) == 3
