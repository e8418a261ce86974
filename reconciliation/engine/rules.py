"""CompareRule: when two values of a field are equal."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, localcontext

from ingestion.suggestion import nearest
from reconciliation.engine.folding import IGNORABLE

NUMBERS = ("absolute", "relative", "basis_points")
COUNTS = ("days", "business_days")
KEYS = (*NUMBERS, *COUNTS, "ignore", "null_equals", "skip")
EXACT_DIGITS = 200


@dataclass(frozen=True)
class CompareRule:
    """Equal when |a-b| <= absolute + relative*|b| + basis_points/10000*|b|; texts equal after what `ignore` folds."""

    absolute: Decimal = Decimal(0)
    relative: Decimal = Decimal(0)
    basis_points: Decimal = Decimal(0)
    days: int = 0
    business_days: int = 0
    ignore: tuple[str, ...] = ()
    null_equals: tuple[str, ...] = ()
    skip: bool = False

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> "CompareRule":
        """From the definition's `compare` of a field; ValueError names what cannot be."""
        for key in document:
            if key not in KEYS:
                raise ValueError(f"there is no compare rule {key!r}{nearest(str(key), KEYS)}")
        ignore = _words(document.get("ignore"))
        for word in ignore:
            if word not in IGNORABLE:
                raise ValueError(f"{word!r} cannot be ignored; {', '.join(IGNORABLE)} can")
        skip = document.get("skip", False)
        if not isinstance(skip, bool):
            raise ValueError(f"skip is true or false, not {skip!r}")
        absolute, relative, basis_points = (_tolerance(key, document.get(key, 0)) for key in NUMBERS)
        days, business_days = (_count(key, document.get(key, 0)) for key in COUNTS)
        null_equals = _words(document.get("null_equals"))
        return cls(absolute, relative, basis_points, days, business_days, ignore, null_equals, skip=skip)

    @property
    def share(self) -> Decimal:
        """The relative tolerance, basis points included, exactly."""
        with localcontext(prec=EXACT_DIGITS):
            return self.relative + self.basis_points.scaleb(-4)


def _tolerance(key: str, given: object) -> Decimal:
    try:
        value = Decimal(str(given))
    except InvalidOperation:
        raise ValueError(f'{key} is a decimal such as "0.005", not {given!r}') from None
    if not value.is_finite() or value < 0 or isinstance(given, bool):
        raise ValueError(f'{key} is a decimal such as "0.005", zero or above, not {given!r}')
    if len(value.as_tuple().digits) + abs(int(value.as_tuple().exponent)) > EXACT_DIGITS // 2:
        raise ValueError(f"{key} has too many digits: {given!r}")
    return value


def _count(key: str, given: object) -> int:
    text = str(given)
    if not (text.isascii() and text.isdigit()) or len(text) > 6:
        raise ValueError(f"{key} is a whole number of days, not {given!r}")
    return int(text)


def _words(given: object) -> tuple[str, ...]:
    """The words of a list, or a single one; booleans in their canonical texts."""
    words = given if isinstance(given, list | tuple) else () if given is None else (given,)
    if any(isinstance(word, Mapping | list | tuple) for word in words):
        raise ValueError(f"{given!r} is no list of texts")
    return tuple(
        "null" if word is None else str(word).lower() if isinstance(word, bool) else str(word) for word in words
    )
