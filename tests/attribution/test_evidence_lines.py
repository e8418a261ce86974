"""Evidence lines: every number can be counted again, and the strongest line that holds is the one told."""

import numpy as np
import pandas as pd
import pytest

from attribution.evidence_join import create_evidence
from attribution.evidence_lines import (
    DAYS,
    FROM,
    LEAST,
    LIMITS,
    NO_SIZE,
    OF_DAYS,
    UNDER,
    WHOLE,
    evidence_lines,
    gap_sizes,
    lines_from_document,
)
from attribution.statistics.bounds import lower_bound
from reconciliation.session import session

HABITS = ("field", "record's bank")


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Labelled differences of three fields; who the bank is and how wide the gap is both tell of the reason."""
    rng = np.random.default_rng(8)
    count = 900
    field = rng.choice(["amount", "booked", "text"], count, p=[0.6, 0.3, 0.1])
    bank = rng.choice(["North", "South", ""], count)
    gap = 10.0 ** rng.integers(-3, 6, count) * rng.uniform(1, 9, count)
    chance = np.where(bank == "North", 0.8, np.where(gap < 1, 0.6, 0.1))
    made = pd.DataFrame({"field": field, "record's bank": bank, "claim": rng.choice(["", "LAG"], count)})
    made["kind"] = made["field"].map({"amount": "number", "booked": "date", "text": "text"})
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 40, count), unit="D")
    made["value_a"] = np.where(made["kind"] == "date", "2026-01-01", "0")
    made["value_b"] = np.where(made["kind"] == "date", days.strftime("%Y-%m-%d"), np.round(gap, 4).astype(str))
    made["reason"] = np.where(rng.random(count) < chance, "FEE", rng.choice(["LAG", "TYPO"], count))
    return made


def within(sizes: np.ndarray, limits: tuple[int, int]) -> np.ndarray:
    """Which sizes lie in a range."""
    return (sizes >= limits[0]) & (sizes <= limits[1])


def strongest(rows: pd.DataFrame, sizes: np.ndarray, place: int, reason: str) -> float:
    """The highest lower limit over every group that the row at a place is in, counted one by one; -1 without any."""
    it, best = rows.iloc[place], -1.0
    like = ((rows["field"] == it["field"]) & (rows["claim"] == it["claim"])).to_numpy()
    for same in (like, like & (rows["record's bank"] == it["record's bank"]).to_numpy()):
        for limits in (WHOLE, *UNDER, *FROM):
            if not limits[0] <= sizes[place] <= limits[1]:
                continue
            group = rows["reason"][same & within(sizes, limits)]
            hits = int((group == reason).sum())
            if hits and (len(group) >= LEAST or (same is like and limits == WHOLE)):
                best = max(best, round(lower_bound(hits, len(group)), 6))
    return best


def test_every_line_can_be_counted_again(rows: pd.DataFrame) -> None:
    sizes = gap_sizes(rows)
    lines = evidence_lines(rows, HABITS)
    assert lines_from_document([it.document() for it in lines]) == lines and len(lines) > 50
    for it in lines:
        same = (rows["field"] == it.field) & (rows["claim"] == it.claim) & within(sizes, (it.least, it.most))
        if it.habit:
            same &= rows[it.habit] == it.value
        assert (it.hits, it.total) == ((same & (rows["reason"] == it.reason)).sum(), same.sum()), it.sentence()


def test_the_strongest_line_is_told(rows: pd.DataFrame) -> None:
    lines = evidence_lines(rows, HABITS)
    told = {it.sentence(): it.low for it in lines}
    assert len(told) == len(lines)
    ranked = ["FEE", "TYPO", "NEVER"]
    with session("evidence-lines") as (duck, _):
        duck.register("given", rows.assign(place=np.arange(len(rows))))
        duck.execute("CREATE TEMP TABLE asked AS SELECT * FROM given")
        ranks = ", ".join(f"({rank}, '{it}')" for rank, it in enumerate(ranked, 1))
        duck.execute(
            f"CREATE TEMP TABLE guess AS SELECT a.place, g.* FROM asked a, (VALUES {ranks}) AS g (rank, reason)"
        )
        create_evidence(duck, lines)
        found = {(place, rank): it for place, rank, it in duck.execute("SELECT * FROM evidence").fetchall()}
    sizes = gap_sizes(rows)
    for place in range(0, len(rows), 7):
        for rank, reason in enumerate(ranked, 1):
            assert told.get(found.get((place, rank), ""), -1.0) == strongest(rows, sizes, place, reason)
    assert not any(rank == 3 for _, rank in found)


def test_sizes_are_those_that_people_would_name() -> None:
    given = [
        ("number", "10.00", "10.10"), ("number", "1", "0.00"), ("number", "1", "1.0099"), ("number", "0", "5e9"),
        ("number", "NaN", "1"), ("number", None, "1"), ("date", "2026-01-01", "2026-01-02"),
        ("date", "2026-03-01T10:00", "2026-01-01"), ("date", "2026-99-01", "2026-01-01"), ("text", "1", "2"),
    ]  # fmt: skip
    sizes = gap_sizes(pd.DataFrame(given, columns=["kind", "value_a", "value_b"])).tolist()
    assert sizes == [2, 3, 0, len(LIMITS), NO_SIZE, NO_SIZE, OF_DAYS, OF_DAYS + len(DAYS), NO_SIZE, NO_SIZE]


def test_a_line_reads_as_a_sentence() -> None:
    rows = pd.DataFrame(
        [("amount", "number", "ROUNDING_DIFF", "1", "1.5", "Acme", "ROUNDING_DIFF")] * 40
        + [("amount", "number", "ROUNDING_DIFF", "1", "1.5", "Acme", "BANK_FEE")] * 4
        + [("amount", "number", "ROUNDING_DIFF", "1", "9.5", "Acme", "BANK_FEE")] * 20
        + [("amount", "number", "ROUNDING_DIFF", "1", "1.5", "Other", "BANK_FEE")] * 20,
        columns=["field", "kind", "claim", "value_a", "value_b", "record's party", "reason"],
    )
    lines = evidence_lines(rows, ("record's party",))
    best = max((it for it in lines if it.reason == "ROUNDING_DIFF"), key=lambda it: it.low)
    assert best.sentence() == (
        "91 % of differences of amount under 1.00 with party Acme that look like ROUNDING_DIFF were ROUNDING_DIFF: 40 of 44."
    )
