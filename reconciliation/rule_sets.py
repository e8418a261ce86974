"""RuleSet: freezing everything that decides, so that a run can be repeated."""

import hashlib
from collections.abc import Callable

from django.db import transaction

from ingestion import custody
from ingestion.mapping_versions import canonical_json
from ingestion.models import Calendar, Source
from reconciliation.models import Reconciliation, RuleSet
from reconciliation.money import money_of
from reconciliation.rules import Rules

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
    """The gate with the fields of its money: limits, the queue and the statement look at the same ones. A gate with limits has to
    know them, so it takes the first number where none can be told to be an amount."""
    gate, shape = reconciliation.rules.get("gate") or {}, reconciliation.record_type.shape()
    is_limited = gate.get("max_auto_amount") or gate.get("max_auto_difference")
    money = money_of(shape, Rules(reconciliation.rules))
    first = next((leaf.name for leaf in shape.leaves if leaf.kind == "decimal"), "amount") if is_limited else "amount"
    meant = {
        "amount_field": money.amount.name if money else first,
        "currency_field": money.currency.name if money and money.currency else "currency",
    }
    usual = {"amount_field": "amount", "currency_field": "currency"}
    said = meant if is_limited else {key: name for key, name in meant.items() if name != usual[key]}
    return {"gate": {**said, **gate}} if said else {}


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
