"""What let a break pass, or holds it: the conditions of the gate that were met, beside those that it noted as not met, and the
run, model and certificate that spoke."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reconciliation.gate import Condition, Explained, covered, verdict
from reconciliation.models import Break
from reconciliation.rules import GateRules, Rules
from review.breaks.explained import Explained as ExplainedDifference
from review.breaks.facts import Facts
from review.journey_breaks import certified


@dataclass(frozen=True)
class GateSaid:
    """The conditions that were met, the gate's confidence, and in a sentence each the run that judged and its certificate."""

    met: Sequence[Condition]
    threshold: Decimal
    judged: str
    certificate: str

    @property
    def also(self) -> str:
        """The certificate, where no condition that was met names it."""
        return "" if any(it.code == "certificate" for it in self.met) else self.certificate


def gate_said(
    brk: Break, facts: Facts, differences: Sequence[ExplainedDifference], record: Mapping[str, str | None]
) -> GateSaid:
    """What the gate said of a break, from what it noted and what is known by now."""
    rules = Rules(brk.last_run.rule_set.document).gate
    pinned = (facts.judged or {}).get("certificate")
    certificate = f"Certificate {pinned['id']}: {certified(pinned, brk.reconciliation)}" if pinned else ""
    return GateSaid(
        _met(brk, facts, differences, record, rules, certificate), rules.confidence, _judged(facts), certificate
    )


def _met(
    brk: Break,
    facts: Facts,
    differences: Sequence[ExplainedDifference],
    record: Mapping[str, str | None],
    rules: GateRules,
    certificate: str,
) -> list[Condition]:
    """The conditions that hold; of a break of whole rows, which goes to a person anyway, none is asked. Where a reason was refused,
    its confidence was not asked: a certificate may not speak for a reason, however sure."""
    said = [it for it in differences if it.said is not None]
    if brk.kind != Break.Kind.DIFFERING or not said:
        return []
    held = {it.condition for it in facts.refusals}
    failed = [
        Condition(it.condition, it.sentence, holds=False) for it in facts.refusals if it.condition.startswith("check:")
    ]
    proven = (
        Condition("certificate", covered(rules.budget), holds=True, detail=certificate)
        if certificate and rules.budget
        else None
    )
    asked = verdict(rules, [_explained(it, held) for it in said], record, failed, certificate=proven)
    return [it for it in asked if it.holds and not held & {it.code, it.code.replace("confidence:", "reason:")}]


def _explained(it: ExplainedDifference, held: set[str]) -> Explained:
    said = it.said
    assert said is not None
    return Explained(
        it.field, said.reason_id, said.functional, said.confidence, f"flagged:{it.field}" in held, it.difference.value_a,
        it.difference.value_b, said.functional_share,
    )  # fmt: skip


def _judged(facts: Facts) -> str:
    judged: Mapping[str, Any] | None = facts.judged
    if judged is None:
        return ""
    model = f"model {judged['model']}" if judged["model"] else "no model"
    return f"Run {judged['run']}, rule set {judged['rule_set']}, {model}."
