"""What the provers of a run may lean on, read from its frozen rules."""

from collections.abc import Mapping
from decimal import Decimal

from attribution.models import Reason
from attribution.provers.evidence import Context, Setting
from ingestion.shape import Shape
from reconciliation.models import Reconciliation
from reconciliation.rules import Rules


def reasons_of(_: Reconciliation) -> dict[str, object]:
    """The active reasons, frozen into a rule set."""
    reasons = Reason.objects.filter(active=True).order_by("code")
    return {"reasons": dict(reasons.values_list("code", "functional"))}


def context_of(rules: Rules, shape: Shape) -> Context:
    """The provers' context of a rule set."""
    settings: Mapping[str, Mapping[str, object]] = rules.document.get("provers") or {}  # type: ignore[assignment]
    return Context(
        decimals={leaf.name: leaf for leaf in shape.leaves if leaf.kind == "decimal"},
        translations=rules.document.get("translations") or {},  # type: ignore[arg-type]
        calendar=rules.calendar,
        settings={code: _setting(given) for code, given in settings.items()},
        reasons=rules.document.get("reasons") or {},  # type: ignore[arg-type]
    )


def _setting(given: Mapping[str, object]) -> Setting:
    confidence = given.get("confidence")
    return Setting(
        reason=str(given.get("reason") or ""),
        confidence=None if confidence is None else Decimal(str(confidence)),
        active=bool(given.get("active", True)),
    )
