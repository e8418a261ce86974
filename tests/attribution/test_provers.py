"""Provers: each says the true transformation, near misses say nothing, and a proof replays."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.classifier import Attribution, band, explain
from attribution.provers.evidence import Context, Difference, Setting
from attribution.reasons import SEED
from ingestion.shape import Leaf
from tests.simulation import proofs

REASONS = {code: functional for code, _, functional in SEED}
AMOUNT = Leaf("amount", "amount", "f1", "decimal", digits=18, places=2)
RATE = Leaf("rate", "rate", "f2", "decimal", digits=18, places=6)
NAME, DAY = Leaf("name", "name", "f3", "text"), Leaf("day", "day", "f4", "date")
CONTEXT = Context(decimals={"amount": AMOUNT, "rate": RATE}, translations={"name": {"UK": "GB"}}, reasons=REASONS)


def explained(leaf: Leaf, a: str | None, b: str | None, kind: str = "value", **records: dict[str, str]) -> Attribution:
    """What the provers say of one difference."""
    difference = Difference(leaf.name, leaf, kind, a, b, record_a=records.get("ra", {}), record_b=records.get("rb", {}))
    return explain([difference], CONTEXT)[0]


def said(leaf: Leaf, a: str | None, b: str | None, kind: str = "value", **records: dict[str, str]) -> tuple[str, str]:
    """The reason and the proof."""
    attribution = explained(leaf, a, b, kind, **records)
    return attribution.reason, attribution.proof


@pytest.mark.parametrize(
    ("leaf", "a", "b", "reason", "sentence"),
    [
        (AMOUNT, "10.75", "11.00", "ROUNDING_DIFF", "B is A rounded to 0 places."),
        (AMOUNT, "10.75", "10.00", "TRUNCATION_ERR", "B is A cut to 0 places."),
        (AMOUNT, "10.00", "-10.00", "SIGN_FLIP", "B is A with the sign turned."),
        (AMOUNT, "48250.00", "48250000.00", "SCALE_ERR", "B is A times 1,000."),
        (
            AMOUNT,
            "1254000.00",
            "1245000.00",
            "MANUAL_ENTRY_ERR",
            "Digits 5 and 4 swapped: 1,254,000.00 became 1,245,000.00.",
        ),
        (NAME, "Meridian Capital", "Meridian Cap", "TRUNCATION_ERR", "B is A cut to 12 characters."),
        (
            NAME,
            "Meridian Capital",
            "Meridain Capital",
            "MANUAL_ENTRY_ERR",
            "Letters i and a swapped: Meridian Capital became Meridain Capital.",
        ),
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


@pytest.mark.parametrize(
    ("leaf", "a", "b", "reason", "confidence"),
    [
        (AMOUNT, "10.25", "10.00", "ROUNDING_DIFF", "0.91"),  # or cut
        (AMOUNT, "10.26", "10.30", "ROUNDING_DIFF", "0.60"),  # or a few cents apart
        (AMOUNT, "500.00", "5000.00", "SCALE_ERR", "0.60"),  # or one zero too many
        (AMOUNT, "1234.00", "1294.00", "MANUAL_ENTRY_ERR", "0.60"),  # or a fee of 60.00
        (AMOUNT, "1234.56", "1234.58", "UNKNOWN", "0.40"),  # most likely a few cents apart
        (AMOUNT, "100.00", "30.48", "SCALE_ERR", "0.60"),  # feet, or just another amount
        (NAME, "Goroka Airport", "Goroka", "TRUNCATION_ERR", "0.60"),  # or never written in full
        (NAME, "Algiers", "Algier", "TRUNCATION_ERR", "0.60"),  # or one letter missing
        (NAME, "Combolcha", "Kombolcha", "MANUAL_ENTRY_ERR", "0.60"),  # or another spelling
        (NAME, "12:10 p.m.", "12:01 p.m.", "MANUAL_ENTRY_ERR", "0.60"),  # or nine minutes earlier
        (DAY, "2026-11-12", "2026-11-02", "UNKNOWN", "0.40"),  # or ten days earlier
    ],
)
def test_what_has_two_readings_is_no_proof(leaf: Leaf, a: str, b: str, reason: str, confidence: str) -> None:
    found = explained(leaf, a, b)
    assert (found.reason, found.proof, str(found.confidence)) == (reason, "", confidence)
    assert found.best_reason != "UNKNOWN" and found.candidates[0].sentence


def test_a_reading_that_explains_more_outweighs_one_that_explains_anything() -> None:
    found = explained(DAY, "2026-11-20", "2026-11-23")  # three days later, and one other digit
    assert [(it.reason, it.proof) for it in found.candidates] == [("TIMING_LAG", True), ("MANUAL_ENTRY_ERR", False)]
    assert found.confidence > found.candidates[1].confidence


def test_no_hint_is_surer_than_what_an_admin_made_of_its_proof() -> None:
    context = replace(CONTEXT, settings={"rounding": Setting(confidence=Decimal("0.30"))})
    found = explain([Difference("amount", AMOUNT, "value", "10.25", "10.00")], context)[0]
    assert (found.reason, str(found.confidence)) == ("TRUNCATION_ERR", "0.60")


def test_proofs_name_what_was_done_in_all_but_one_of_two_hundred() -> None:
    counts = proofs.found(300)
    assert proofs.right(counts) >= 0.995 * counts.total() > 2_000


@pytest.mark.parametrize(
    "text", ["1E999999", "1E9999999%", "1E-9999999", "0E9999999", "9" * 30, "9" * 90, "sNaN", "1e400"]
)
def test_a_number_wider_than_any_field_is_no_value_of_it(text: str) -> None:
    wide = replace(AMOUNT, digits=38, places=10)
    for leaf in (AMOUNT, wide, Leaf("n", "n", "f9", "integer"), NAME):
        for a, b in (("10.00", text), (text, "10.00"), (text, None), (text, f"-{text}")):
            assert len(str(explained(leaf, a, b, "type" if leaf is not NAME else "value"))) < 3_000
    told = explained(AMOUNT, "10.00", text, "type")
    assert (told.reason, told.candidates[0].sentence) == (
        "DATA_TYPE_MISMATCH",
        f'B holds "{text}", which is no decimal number.',
    )


def test_every_digit_of_a_wide_number_counts() -> None:
    wide = replace(AMOUNT, digits=38, places=2)
    near = "1" * 34 + "2.00"
    assert said(wide, near, "-" + "1" * 34 + "2.00")[0] == "SIGN_FLIP"
    assert said(wide, near, "-" + "1" * 34 + "3.00")[0] != "SIGN_FLIP"


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
