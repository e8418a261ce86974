"""Draws: chance picks what is audited and what calibrates, the same again for who has the seed, and for nobody else."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from attribution.attribute import attribute_range
from attribution.draws import chance, seed_of
from attribution.models import Draw, DrawSeed
from config.definitions.faults import BadDefinition
from ingestion import custody
from ingestion.models import Seal
from reconciliation.models import Break, Reconciliation, Run, RunStep
from tests.conftest import DEFINITION, problems, row

PASSING, HELD = 60, 40
LEFT = [row(f"P{n}", "10.25") for n in range(PASSING)] + [row(f"H{n}", "10.00") for n in range(HELD)]
RIGHT = [row(f"P{n}", "10.00") for n in range(PASSING)] + [row(f"H{n}", "-10.00") for n in range(HELD)]


def gated(trades: Reconciliation, **gate: object) -> None:
    """Other rules for the gate, from the next run on."""
    trades.rules = {**trades.rules, "gate": {**trades.rules["gate"], **gate}}
    trades.save()
    custody.seal([trades])


def drawn(purpose: str) -> set[str]:
    """The keys that chance picked."""
    return set(Draw.objects.filter(purpose=purpose).values_list("brk__key", flat=True))


def test_a_tenth_of_what_passes_is_audited_and_a_tenth_of_what_is_held_calibrates(
    reconcile: Callable[..., Run], trades: Reconciliation
) -> None:
    gated(trades, audit_floor=0)
    run = reconcile([*LEFT, row("SAME"), row("ONLY")], [*RIGHT, row("SAME")])
    audits, stream = Draw.objects.filter(purpose="audit"), Draw.objects.filter(purpose="calibration")
    assert (audits.count(), stream.count()) == (6, 4)
    assert {it.brk.state for it in audits} == {"passed"} and {it.brk.state for it in stream} == {"review"}
    assert {it.brk.kind for it in Draw.objects.all()} == {"differing"}
    assert {(it.run, it.probability) for it in Draw.objects.all()} == {(run, Decimal("0.1"))}
    assert {it.score for it in audits} == {Decimal("0.91")}
    assert problems() == []


def test_a_run_has_its_least_number_of_audits_with_the_probability_that_they_had(
    reconcile: Callable[..., Run], trades: Reconciliation
) -> None:
    reconcile(LEFT, RIGHT)
    assert Draw.objects.filter(purpose="audit").count() == 12
    assert set(Draw.objects.filter(purpose="audit").values_list("probability", flat=True)) == {Decimal("0.2")}


def test_few_passes_are_all_audited(reconcile: Callable[..., Run]) -> None:
    reconcile(LEFT[:3], RIGHT[:3])
    assert drawn("audit") == {"P0", "P1", "P2"}
    assert {it.probability for it in Draw.objects.all()} == {Decimal(1)}


def test_a_gate_without_audits_draws_none(reconcile: Callable[..., Run], trades: Reconciliation) -> None:
    gated(trades, audit_floor=0, audit_rate="0")
    reconcile(LEFT, RIGHT)
    assert drawn("audit") == set()
    assert len(drawn("calibration")) == 4


def test_the_same_step_draws_the_same_and_another_seed_others(
    reconcile: Callable[..., Run], trades: Reconciliation
) -> None:
    run = reconcile(LEFT, RIGHT)
    first = {purpose: drawn(purpose) for purpose in ("audit", "calibration")}
    _again(run)
    assert {purpose: drawn(purpose) for purpose in first} == first
    DrawSeed.objects.update(secret="0" * 64)
    _again(run)
    assert drawn("audit") != first["audit"]
    assert [it for it in problems() if "seed" in it] == [f"draw seed {DrawSeed.objects.get().pk} was changed by hand."]


def _again(run: Run) -> None:
    """As if the step had been killed before its commit."""
    Draw.objects.all().delete()
    Seal.objects.filter(kind__in=["attribution_draw"]).delete()
    for brk in Break.objects.all():
        brk.refusals.all().delete()
        for difference in brk.differences.all():
            for said in difference.attributions.all():
                said.candidates.all().delete()
                said.delete()
    Seal.objects.filter(kind="reconciliation_break").delete()
    Break.objects.update(state="in_flight", closed_at=None, closed_because="")
    step = run.steps.get(step=RunStep.Step.ATTRIBUTE)
    RunStep.objects.filter(pk=step.pk).update(state="ready", lease_until=None)
    step.refresh_from_db()
    attribute_range(step)
    assert not Break.objects.filter(state="in_flight").exists()


def test_nobody_foresees_a_draw(trades: Reconciliation) -> None:
    secret = seed_of(trades)
    assert secret == seed_of(trades) and len(secret) == 64
    spread = [chance(secret, 1, n) for n in range(2000)]
    assert 0.47 < sum(spread) / 2000 < 0.53 and min(spread) >= 0 and max(spread) < 1
    assert chance(secret, 1, 1) != chance("0" * 64, 1, 1)


def test_each_is_drawn_as_often_as_its_probability_says() -> None:
    """Ranges of seven, of which 0.7 are expected: one is drawn in seven of ten ranges."""
    assert 640 < sum(int(0.7 + chance("secret", run, 0, "audit")) for run in range(1000)) < 760


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ('audit_rate: "1.5"', 'gate.audit_rate: it is a decimal between 0 and 1, such as "0.10"'),
        ("audit_floor: -1", "gate.audit_floor: it is a whole number of records a run, at most 10,000"),
        ('audit_floor: "12"', "gate.audit_floor: it is a whole number of records a run, at most 10,000"),
        (
            'budget: "0.05", audit_rate: "0", audit_floor: 0',
            "gate.audit_rate: a gate with an error budget needs audits",
        ),
    ],
)
def test_a_definition_says_what_is_wrong_with_its_audits(
    define: Callable[[str], object], given: str, sentence: str
) -> None:
    with pytest.raises(BadDefinition, match=sentence.replace("(", r"\(")):
        define(DEFINITION.replace("gate: {", "gate: {" + given + ", "))
