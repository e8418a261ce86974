"""Provers: each says the true transformation, near misses say nothing, and a proof replays."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.classifier import band, explain
from attribution.provers.evidence import Context, Difference
from attribution.reasons import SEED
from ingestion.shape import Leaf

REASONS = {code: functional for code, _, functional in SEED}
AMOUNT = Leaf("amount", "amount", "f1", "decimal", digits=18, places=2)
RATE = Leaf("rate", "rate", "f2", "decimal", digits=18, places=6)
NAME, DAY = Leaf("name", "name", "f3", "text"), Leaf("day", "day", "f4", "date")
CONTEXT = Context(decimals={"amount": AMOUNT, "rate": RATE}, translations={"name": {"UK": "GB"}}, reasons=REASONS)


def said(leaf: Leaf, a: str | None, b: str | None, kind: str = "value", **records: dict[str, str]) -> tuple[str, str]:
    """The reason and the proof."""
    difference = Difference(leaf.name, leaf, kind, a, b, record_a=records.get("ra", {}), record_b=records.get("rb", {}))
    attribution = explain([difference], CONTEXT)[0]
    return attribution.reason, attribution.proof


@pytest.mark.parametrize(
    ("leaf", "a", "b", "reason", "sentence"),
    [
        (AMOUNT, "10.25", "10.00", "ROUNDING_DIFF", "B is A rounded to 0 places."),
        (AMOUNT, "10.26", "10.3", "ROUNDING_DIFF", "B is A rounded to 1 place."),
        (AMOUNT, "10.00", "-10.00", "SIGN_FLIP", "B is A with the sign turned."),
        (AMOUNT, "48250.00", "48250000.00", "SCALE_ERR", "B is A times 1,000."),
        (
            AMOUNT,
            "1254000.00",
            "1245000.00",
            "MANUAL_ENTRY_ERR",
            "Digits 5 and 4 swapped: 1,254,000.00 became 1,245,000.00.",
        ),
        (NAME, "Meridian Capital", "Meridian", "TRUNCATION_ERR", "B is A cut to 8 characters."),
        (NAME, "Müller", "MÃ¼ller", "ENCODING_ERR", "UTF-8 read as Windows-1252: Müller became MÃ¼ller."),
        (NAME, "€100", "â‚¬100", "ENCODING_ERR", "UTF-8 read as Windows-1252: €100 became â‚¬100."),
        (NAME, "Plain Ltd", "PLAIN LTD", "FORMAT_VARIANT", "The same text in other case."),
        (NAME, "UK", "GB", "SYSTEM_CONVERSION", "GB is this source's code for UK."),
        (DAY, "2026-11-20", "2026-11-23", "TIMING_LAG", "B is one business day after A."),
        (DAY, "2026-10-11", "2026-11-10", "MANUAL_ENTRY_ERR", "Day and month swapped: 11 Oct became 10 Nov."),
    ],
)
def test_a_cause_is_proved_in_one_sentence(leaf: Leaf, a: str, b: str, reason: str, sentence: str) -> None:
    assert said(leaf, a, b) == (reason, sentence)


def test_flagged_values_are_another_format_or_no_value() -> None:
    assert said(AMOUNT, "1234.50", "1,234.50", "type")[0] == "FORMAT_VARIANT"
    assert said(AMOUNT, "1234.50", "N/A", "type") == (
        "DATA_TYPE_MISMATCH",
        'B holds "N/A", which is no decimal number.',
    )


def test_a_rate_difference_explains_the_amount() -> None:
    records = {"ra": {"rate": "1.084200"}, "rb": {"rate": "1.084600"}}
    amount = (Decimal("1000000") * Decimal("1.0846") / Decimal("1.0842")).quantize(Decimal("0.01"))
    assert said(AMOUNT, "1000000.00", str(amount), **records)[0] == "FX_VARIANCE"


@pytest.mark.parametrize(
    ("leaf", "a", "b"),
    [
        (AMOUNT, "1234.00", "1000.00"),
        (AMOUNT, "0.00", "5.00"),
        (NAME, "Müller", "Mueller"),
        (NAME, "Acme", "Zenith"),
        (DAY, "2026-01-01", "2026-06-17"),
    ],
)
def test_a_near_miss_has_no_proof(leaf: Leaf, a: str, b: str) -> None:
    assert said(leaf, a, b)[1] == ""


@given(st.decimals(min_value="1", max_value="999999", places=2), st.integers(1, 6))
def test_a_power_of_ten_is_proved_and_replays(value: Decimal, power: int) -> None:
    b = value * 10**power
    assert said(AMOUNT, f"{value:.2f}", f"{b:.2f}")[0] == "SCALE_ERR"


@given(st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=12))
def test_any_two_texts_get_an_answer_within_bounds(a: str, b: str) -> None:
    attribution = explain([Difference("name", NAME, "value", a, b)], CONTEXT)[0]
    assert 0 <= attribution.confidence <= 1
    assert (attribution.functional is None) == (attribution.reason == "UNKNOWN")


def test_bands_are_strict_at_the_gate() -> None:
    shown = [band(Decimal(c), "ROUNDING_DIFF") for c in ("0.91", "0.90", "0.70", "0.69", "0.50", "0.49")]
    assert shown == ["straight", "expedited", "expedited", "standard", "standard", "UNKNOWN"]


@pytest.mark.parametrize(
    ("kind", "a", "b", "reason", "sentence"),
    [
        ("boolean", "true", "Y", "FORMAT_VARIANT", 'B writes true as "Y".'),
        ("boolean", "0", "false", "FORMAT_VARIANT", 'A writes false as "0".'),
        ("boolean", "true", "N", "DATA_TYPE_MISMATCH", 'B holds "N", which is no true or false.'),
        ("boolean", "maybe", "true", "DATA_TYPE_MISMATCH", 'A holds "maybe", which is no true or false.'),
        ("datetime", "2026-11-20T10:00:00Z", "20.11.2026 10:00", "FORMAT_VARIANT",
         'B writes the same time as "20.11.2026 10:00", pattern %d.%m.%Y %H:%M.'),
        ("datetime", "noon", "2026-11-20T10:00:00.5Z", "DATA_TYPE_MISMATCH", 'A holds "noon", which is no time.'),
    ],
)  # fmt: skip
def test_a_flagged_truth_or_time_is_read_too(kind: str, a: str, b: str, reason: str, sentence: str) -> None:
    assert said(Leaf("f", "f", "f9", kind), a, b, "type") == (reason, sentence)
