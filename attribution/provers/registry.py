"""The provers in the order in which they speak, with the reason and confidence that each states."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from attribution.provers import dates, formats, numbers, rates, texts
from attribution.provers.evidence import Context, Difference

NUMBERS, TEXTS, MOMENTS = ("decimal", "integer"), ("text",), ("date", "datetime")
ALL = (*NUMBERS, *TEXTS, *MOMENTS, "boolean")
DOUBTED, GUESSED, PASSING = Decimal("0.60"), Decimal("0.40"), Decimal("0.91")
ANY = 1_000_000  # ways of a reading that fits whatever B is


Says = Callable[[Difference], str]


@dataclass(frozen=True)
class Prover:
    """A code, what it says, for which kinds of field it speaks, and how sure it is.

    `says` gives a sentence, or nothing; one that `asks` is given what holds for the run as well. `ways`: how many values of B it
    could have made of a typical A. It states `confidence` for a proof, `doubted` where something else may have made B, and
    `guessed` where chance is likelier; a `hint` proves nothing. `counts_near`: whether it is itself the reading that B is near to A.
    """

    code: str
    reason: str
    confidence: Decimal
    says: Callable[..., str]
    kinds: tuple[str, ...]
    ways: int = 1
    hint: bool = False
    doubted: Decimal = DOUBTED
    guessed: Decimal = GUESSED
    flagged: bool = False
    counts_near: bool = False
    asks: bool = False

    def in_run(self, context: Context) -> Says:
        """What it says of a difference of one run."""
        return partial(self.says, context=context) if self.asks else self.says


def _prover(
    code: str,
    reason: str,
    confidence: str,
    says: Callable[..., str],
    kinds: tuple[str, ...],
    ways: int = 1,
    **options: Any,
) -> Prover:
    return Prover(code, reason, Decimal(confidence), says, kinds, ways, **options)


# Ways are of typical values, and more where a cause is rare: units are seldom mixed up, so a factor has to fit many digits.
# What rounding and cutting would both have made was rounded in more than nine of ten cases, so it still passes a gate at 0.90; where
# it is the last place alone, in one of four (docs/learned_model.md).
PROVERS = (
    _prover("format", "FORMAT_VARIANT", "0.95", formats.other_format, ALL, flagged=True, asks=True),
    _prover("text_form", "FORMAT_VARIANT", "0.95", texts.text_form, TEXTS, 4, flagged=True),
    _prover("encoding", "ENCODING_ERR", "0.97", texts.encoding, TEXTS, 4, flagged=True),
    _prover("data_type", "DATA_TYPE_MISMATCH", "0.90", formats.no_value, ALL, 1_000, guessed=DOUBTED, flagged=True),
    _prover("sign", "SIGN_FLIP", "0.97", numbers.sign_flip, NUMBERS),
    _prover("scale", "SCALE_ERR", "0.95", numbers.scale, NUMBERS, 18),
    _prover("scale", "SCALE_ERR", "0.95", numbers.unit_factor, NUMBERS, 20_000, guessed=DOUBTED),
    _prover("rounding", "ROUNDING_DIFF", "0.95", numbers.rounding, NUMBERS, 3, doubted=PASSING, guessed=PASSING),
    _prover("rounding", "ROUNDING_DIFF", "0.95", numbers.rounding_of_last_place, NUMBERS, 3, guessed=DOUBTED),
    _prover("cut", "TRUNCATION_ERR", "0.95", numbers.cut, NUMBERS, 3),
    _prover("truncation", "TRUNCATION_ERR", "0.95", texts.truncation, TEXTS, 12),
    _prover("truncation", "TRUNCATION_ERR", "0.60", texts.words_left_out, TEXTS, 1_000, hint=True),
    _prover("digits", "MANUAL_ENTRY_ERR", "0.85", numbers.digits_swapped, NUMBERS, 40),
    _prover("digits", "MANUAL_ENTRY_ERR", "0.85", numbers.digit_typed, NUMBERS, 60),
    _prover("digits", "MANUAL_ENTRY_ERR", "0.85", numbers.digit_count, NUMBERS, 40),
    _prover("letters", "MANUAL_ENTRY_ERR", "0.85", texts.letters_swapped, TEXTS, 15),
    _prover("letters", "MANUAL_ENTRY_ERR", "0.60", texts.one_letter, TEXTS, 40, hint=True),
    _prover("business_days", "TIMING_LAG", "0.92", dates.business_days, MOMENTS, 6, counts_near=True, asks=True),
    _prover("day_month", "MANUAL_ENTRY_ERR", "0.90", dates.day_month, MOMENTS),
    _prover("date_digits", "MANUAL_ENTRY_ERR", "0.85", dates.date_digits_swapped, MOMENTS, 8),
    _prover("date_digits", "MANUAL_ENTRY_ERR", "0.85", dates.date_digit_typed, MOMENTS, 40),
    _prover("rate", "FX_VARIANCE", "0.92", rates.fx_variance, NUMBERS, 6, asks=True),
    _prover("translation", "SYSTEM_CONVERSION", "0.93", texts.translation, TEXTS, asks=True),
    _prover("day_count", "ACCRUAL_DIFF", "0.60", rates.day_count, NUMBERS, 8),
    _prover("price", "PRICE_FLUCTUATION", "0.60", rates.price_move, NUMBERS, ANY, hint=True),
)
