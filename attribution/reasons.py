"""The reasons that every installation has; definitions may add others."""

from django.db import transaction

from attribution.models import Reason
from ingestion import custody
from ingestion.changes import Change, ChangeRefused, save_named

SEED: tuple[tuple[str, str, bool | None], ...] = (
    ("FORMAT_VARIANT", "The same value in another format", False),
    ("ENCODING_ERR", "Encoding damage", False),
    ("DATA_TYPE_MISMATCH", "A value that does not fit its field", False),
    ("SIGN_FLIP", "The sign is turned", False),
    ("SCALE_ERR", "A power of ten or a unit factor", False),
    ("ROUNDING_DIFF", "Rounded", True),
    ("TRUNCATION_ERR", "Cut off", False),
    ("MANUAL_ENTRY_ERR", "Typed wrongly", False),
    ("TIMING_LAG", "A few business days apart, or matched late", True),
    ("FX_VARIANCE", "Explained by the record's own rate", True),
    ("SYSTEM_CONVERSION", "A known code of the other system", True),
    ("PRICE_FLUCTUATION", "A small move of a price", True),
    ("ACCRUAL_DIFF", "Another day count", True),
    ("MISSING_SOURCE_A", "Only B has the record", False),
    ("MISSING_SOURCE_B", "Only A has the record", False),
    ("DUPLICATE_ENTRY", "The key stands more than once", False),
    ("RECORD_CHECK", "A record check failed", False),
    ("PENDING_INVESTIGATION", "Someone is looking into it", False),
    ("UNKNOWN", "Nothing explains it", None),
)


@transaction.atomic
def ensure_reasons() -> None:
    """Make the seed reasons that are not there yet; those that an admin changed stay as they are."""
    known = set(Reason.objects.values_list("code", flat=True))
    fresh = [Reason(code=code, label=label, functional=fun) for code, label, fun in SEED if code not in known]
    custody.seal(Reason.objects.bulk_create(fresh))


@transaction.atomic
def put_reason(*, code: str, **values: object) -> list[Change]:
    """Add a reason, or change its label, functional, active or description. ChangeRefused says what would be right."""
    held = Reason.objects.filter(code=code).first()
    functional = values.get("functional", held.functional if held else None)
    if (functional is None) != (code == "UNKNOWN") or not isinstance(functional, bool | None):
        raise ChangeRefused("functional: write true or false; UNKNOWN alone is neither, since it is no reason.")
    if code == "UNKNOWN" and values.get("active") is False:
        raise ChangeRefused("active: UNKNOWN stays active, since what nothing explains goes there.")
    return save_named(Reason, code, values)
