"""CompareRule: when two values of a field are equal."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from reconciliation.engine.folding import IGNORABLE

KEYS = ("absolute", "relative", "basis_points", "days", "business_days", "ignore", "null_equals", "skip")


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
        if unknown := set(document) - set(KEYS):
            raise ValueError(f"there is no compare rule {sorted(unknown)[0]!r}")
        absolute, relative, basis_points = (Decimal(str(document.get(key, 0))) for key in KEYS[:3])
        days, business_days = (int(str(document.get(key, 0))) for key in KEYS[3:5])
        ignore = tuple(map(str, document.get("ignore") or ()))  # type: ignore[call-overload]
        if wrong := [word for word in ignore if word not in IGNORABLE]:
            raise ValueError(f"{wrong[0]!r} cannot be ignored; {', '.join(IGNORABLE)} can")
        null_equals = tuple(map(str, document.get("null_equals") or ()))  # type: ignore[call-overload]
        return cls(
            absolute, relative, basis_points, days, business_days, ignore, null_equals, skip=bool(document.get("skip"))
        )

    @property
    def share(self) -> Decimal:
        """The relative tolerance, basis points included."""
        return self.relative + self.basis_points / 10000
