"""What the page of a break says that the gate asked: no condition as met that was refused, or not asked."""

from decimal import Decimal
from typing import Any

import pytest

from attribution.models import Attribution
from reconciliation.models import Break, Difference, Reconciliation, RuleSet, Run
from review.breaks.explained import Explained
from review.breaks.facts import Facts, Refusal
from review.breaks.gate import GateSaid, gate_said

CHECK = {"field": "amount", "rule": "between", "min": "0"}
CERTIFICATE = {"id": 3, "version": "2", "threshold": "0.91", "upper": "0.018", "errors": 1, "sample_size": 400,
               "valid_until": "2026-12-20T00:00:00+00:00"}  # fmt: skip


def said_of(
    gate: dict[str, Any], *refused: str, reason: str = "ROUNDING_DIFF", confidence: str = "0.95", share: str | None = None,
    certificate: dict[str, Any] | None = None, kind: str = Break.Kind.DIFFERING,
) -> GateSaid:  # fmt: skip
    """What the gate said of a break whose amount differs; `refused` are the conditions that it noted."""
    run = Run(rule_set=RuleSet(document={"gate": gate}))
    brk = Break(kind=kind, last_run=run, reconciliation=Reconciliation(code="trades"))
    said = Attribution(
        reason_id=reason, functional=True, confidence=Decimal(confidence),
        functional_share=None if share is None else Decimal(share),
    )  # fmt: skip
    differences = [Explained(Difference(field="amount", value_a="10.25", value_b="10.00"), said, [])]
    refusals = [Refusal(n, code, code, "", None) for n, code in enumerate(refused)]
    judged = {"run": 7, "model": "2", "rule_set": 4, "certificate": certificate}
    facts = Facts(refusals, [], [], [], [], judged)
    return gate_said(brk, facts, differences, {"amount": "10.25", "currency": "EUR"})


def met(said: GateSaid) -> list[str]:
    """The codes of the conditions that it calls met."""
    return [it.code for it in said.met]


def test_what_holds_is_called_met_and_what_was_refused_is_not() -> None:
    gate = {"checks": [CHECK], "max_auto_amount": {"EUR": "100"}}
    assert met(said_of(gate)) == ["checks", "confidence:amount", "flagged", "max_auto_amount"]
    assert met(said_of(gate, "check:amount:between")) == ["confidence:amount", "flagged", "max_auto_amount"]
    assert met(said_of(gate, "confidence:amount", confidence="0.80")) == ["checks", "flagged", "max_auto_amount"]
    assert met(said_of(gate, "flagged:amount", "max_auto_amount")) == ["checks", "confidence:amount"]


@pytest.mark.parametrize("share", [None, "0.96"])
def test_a_budgeted_gate_without_a_certificate_meets_none(share: str | None) -> None:
    said = said_of({"budget": "0.02"}, "certificate", share=share)
    assert met(said) == ["confidence:amount", "flagged"] and said.certificate == ""


def test_a_budgeted_gate_names_the_certificate_that_let_it_pass() -> None:
    said = said_of({"budget": "0.02"}, share="0.96", confidence="0.50", certificate=CERTIFICATE)
    assert met(said) == ["confidence:amount", "flagged", "certificate"]
    assert said.met[0].detail == "96 % for any functional reason is above 90 %"
    assert said.met[2].detail.startswith("Certificate 3: ") and "(1 of 400)" in said.certificate


def test_a_certificate_that_was_refused_is_not_met() -> None:
    said = said_of({"budget": "0.02"}, "certificate", share="0.92", certificate=CERTIFICATE)
    assert met(said) == ["confidence:amount", "flagged"]


def test_a_reason_that_the_certificate_does_not_speak_for_is_not_met_by_its_confidence() -> None:
    said = said_of({"budget": "0.02"}, "reason:amount", share="0.96", certificate=CERTIFICATE)
    assert met(said) == ["flagged", "certificate"]


def test_whole_rows_are_asked_nothing() -> None:
    assert met(said_of({"checks": [CHECK]}, kind=Break.Kind.MISSING_IN_A)) == []


def test_it_says_who_judged() -> None:
    assert said_of({}).judged == "Run 7, rule set 4, model 2."
