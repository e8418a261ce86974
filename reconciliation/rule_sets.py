"""RuleSet: freezing everything that decides, so that a run can be repeated."""

import hashlib
from collections.abc import Callable

from django.db import transaction

from ingestion import custody
from ingestion.mapping_versions import canonical_json
from ingestion.models import Calendar, Source
from reconciliation.models import Reconciliation, RuleSet

Contribution = Callable[[Reconciliation], dict[str, object]]
_CONTRIBUTIONS: list[Contribution] = []


def contribute(contribution: Contribution) -> None:
    """Let a higher app add what its part of a decision depends on (reasons, say)."""
    _CONTRIBUTIONS.append(contribution)


@transaction.atomic
def freeze_rules(reconciliation: Reconciliation) -> RuleSet:
    """The RuleSet of the rules as they stand; a new version only when something changed."""
    document = _document(reconciliation)
    sha256 = hashlib.sha256(canonical_json(document).encode()).hexdigest()
    Reconciliation.objects.select_for_update().get(pk=reconciliation.pk)
    newest = reconciliation.rule_sets.order_by("-version").first()
    if newest is not None and newest.sha256 == sha256:
        return newest
    rule_set = RuleSet.objects.create(
        reconciliation=reconciliation,
        version=newest.version + 1 if newest else 1,
        document=document,
        sha256=sha256,
    )
    custody.seal([rule_set])
    return rule_set


def _document(reconciliation: Reconciliation) -> dict[str, object]:
    document: dict[str, object] = {
        **reconciliation.rules,
        **_gate(reconciliation),
        "record_type": reconciliation.record_type.code,
        "schema": [reconciliation.record_type.generation, reconciliation.record_type.schema_version],
        "calendar": _calendar(reconciliation.calendar or reconciliation.a.calendar or reconciliation.b.calendar),
        "translations": _translations(reconciliation.b),
    }
    for contribution in _CONTRIBUTIONS:
        document |= contribution(reconciliation)
    return document


def _gate(reconciliation: Reconciliation) -> dict[str, object]:
    """A gate with money limits has to know its fields: where none is called so, the first that can be meant."""
    gate = reconciliation.rules.get("gate") or {}
    if not (gate.get("max_auto_amount") or gate.get("max_auto_difference")):
        return {}
    names = {leaf.name: leaf.kind for leaf in reconciliation.record_type.shape().leaves}
    numbers = [name for name, kind in names.items() if kind == "decimal"]
    texts = [name for name, kind in names.items() if kind == "text" and ("currency" in name or "ccy" in name)]
    found = {"amount_field": [*(n for n in numbers if "amount" in n), *numbers], "currency_field": texts}
    meant = {key: usual if (usual := key.split("_")[0]) in names or not few else few[0] for key, few in found.items()}
    return {"gate": {**meant, **gate}}


def _calendar(calendar: Calendar | None) -> dict[str, object]:
    if calendar is None:
        return {"weekend": [6, 7], "holidays": []}
    days = calendar.holidays.order_by("day").values_list("day", flat=True)
    return {"weekend": calendar.weekend, "holidays": [f"{day:%Y-%m-%d}" for day in days]}


def _translations(source: Source) -> dict[str, dict[str, str]]:
    fields: dict[str, dict[str, str]] = {}
    for entry in source.translations.order_by("field", "a_value", "b_value"):
        fields.setdefault(entry.field, {})[entry.a_value] = entry.b_value
    return fields
