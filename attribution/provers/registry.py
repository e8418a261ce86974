"""The provers in the order in which they speak, with the reason and confidence that each states."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from attribution.provers import dates, formats, numbers, rates, texts
from attribution.provers.evidence import Context, Difference

NUMBERS, TEXTS, MOMENTS = ("decimal", "integer"), ("text",), ("date", "datetime")
ALL = (*NUMBERS, *TEXTS, *MOMENTS, "boolean")


Says = Callable[[Difference], str]


@dataclass(frozen=True)
class Prover:
    """A code, what it says, for which kinds of field it speaks, and whether it reproduces B exactly.

    `says` gives a sentence, or nothing; one that `asks` is given what holds for the run as well.
    """

    code: str
    reason: str
    confidence: Decimal
    says: Callable[..., str]
    kinds: tuple[str, ...]
    flagged: bool = False
    proof: bool = True
    asks: bool = False

    def in_run(self, context: Context) -> Says:
        """What it says of a difference of one run."""
        return partial(self.says, context=context) if self.asks else self.says


def _prover(
    code: str, reason: str, confidence: str, says: Callable[..., str], kinds: tuple[str, ...], **options: bool
) -> Prover:
    return Prover(code, reason, Decimal(confidence), says, kinds, **options)


PROVERS = (
    _prover("format", "FORMAT_VARIANT", "0.95", formats.other_format, ALL, flagged=True, asks=True),
    _prover("text_form", "FORMAT_VARIANT", "0.95", texts.text_form, TEXTS, flagged=True),
    _prover("encoding", "ENCODING_ERR", "0.97", texts.encoding, TEXTS, flagged=True),
    _prover("data_type", "DATA_TYPE_MISMATCH", "0.90", formats.no_value, ALL, flagged=True),
    _prover("sign", "SIGN_FLIP", "0.97", numbers.sign_flip, NUMBERS),
    _prover("scale", "SCALE_ERR", "0.95", numbers.scale, NUMBERS),
    _prover("rounding", "ROUNDING_DIFF", "0.95", numbers.rounding, NUMBERS),
    _prover("truncation", "TRUNCATION_ERR", "0.95", texts.truncation, TEXTS),
    _prover("digits", "MANUAL_ENTRY_ERR", "0.85", numbers.digits, NUMBERS),
    _prover("letters", "MANUAL_ENTRY_ERR", "0.85", texts.letters, TEXTS),
    _prover("business_days", "TIMING_LAG", "0.92", dates.business_days, MOMENTS, asks=True),
    _prover("day_month", "MANUAL_ENTRY_ERR", "0.90", dates.day_month, MOMENTS),
    _prover("date_digits", "MANUAL_ENTRY_ERR", "0.85", dates.date_digits, MOMENTS),
    _prover("rate", "FX_VARIANCE", "0.92", rates.fx_variance, NUMBERS, asks=True),
    _prover("translation", "SYSTEM_CONVERSION", "0.93", texts.translation, TEXTS, asks=True),
    _prover("day_count", "ACCRUAL_DIFF", "0.60", rates.day_count, NUMBERS),
    _prover("price", "PRICE_FLUCTUATION", "0.60", rates.price_move, NUMBERS, proof=False),
)
