"""The provers in the order in which they speak, with the reason and confidence that each states."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from attribution.provers import dates, formats, numbers, rates, texts
from attribution.provers.evidence import Context, Difference

NUMBERS, TEXTS, MOMENTS = ("decimal", "integer"), ("text",), ("date", "datetime")
ALL = (*NUMBERS, *TEXTS, *MOMENTS, "boolean")


@dataclass(frozen=True)
class Prover:
    """A code, what it says, for which kinds of field it speaks, and whether it reproduces B exactly."""

    code: str
    reason: str
    confidence: Decimal
    says: Callable[[Difference, Context], str]
    kinds: tuple[str, ...]
    flagged: bool = False
    proof: bool = True


def _plain(says: Callable[[Difference], str]) -> Callable[[Difference, Context], str]:
    return lambda difference, _: says(difference)


def _prover(
    code: str,
    reason: str,
    confidence: str,
    says: object,
    kinds: tuple[str, ...],
    *,
    flagged: bool = False,
    proof: bool = True,
) -> Prover:
    return Prover(code, reason, Decimal(confidence), says, kinds, flagged, proof)  # type: ignore[arg-type]


PROVERS = (
    _prover("format", "FORMAT_VARIANT", "0.95", formats.other_format, ALL, flagged=True),
    _prover("text_form", "FORMAT_VARIANT", "0.95", _plain(texts.text_form), TEXTS, flagged=True),
    _prover("encoding", "ENCODING_ERR", "0.97", _plain(texts.encoding), TEXTS, flagged=True),
    _prover("data_type", "DATA_TYPE_MISMATCH", "0.90", _plain(formats.no_value), ALL, flagged=True),
    _prover("sign", "SIGN_FLIP", "0.97", _plain(numbers.sign_flip), NUMBERS),
    _prover("scale", "SCALE_ERR", "0.95", _plain(numbers.scale), NUMBERS),
    _prover("rounding", "ROUNDING_DIFF", "0.95", _plain(numbers.rounding), NUMBERS),
    _prover("truncation", "TRUNCATION_ERR", "0.95", _plain(texts.truncation), TEXTS),
    _prover("digits", "MANUAL_ENTRY_ERR", "0.85", _plain(numbers.digits), NUMBERS),
    _prover("letters", "MANUAL_ENTRY_ERR", "0.85", _plain(texts.letters), TEXTS),
    _prover("business_days", "TIMING_LAG", "0.92", dates.business_days, MOMENTS),
    _prover("day_month", "MANUAL_ENTRY_ERR", "0.90", _plain(dates.day_month), MOMENTS),
    _prover("date_digits", "MANUAL_ENTRY_ERR", "0.85", _plain(dates.date_digits), MOMENTS),
    _prover("rate", "FX_VARIANCE", "0.92", rates.fx_variance, NUMBERS),
    _prover("translation", "SYSTEM_CONVERSION", "0.93", texts.translation, TEXTS),
    _prover("day_count", "ACCRUAL_DIFF", "0.60", _plain(rates.day_count), NUMBERS),
    _prover("price", "PRICE_FLUCTUATION", "0.60", _plain(rates.price_move), NUMBERS, proof=False),
)
