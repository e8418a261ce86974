"""The audit's test, exactly: no draws, but the chances of every stream of answers added up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from attribution.rungs import LADDER
from attribution.statistics.audit_test import TRIPS, evidence

BOUNDS = tuple(map(float, LADDER))
bounds, streams = st.sampled_from(BOUNDS), st.lists(st.booleans(), max_size=60)


def evidences(most: int, audits: int, bound: float) -> np.ndarray:
    """The evidence after some audits by how many of them were wrong: it does not ask which."""
    return np.array([evidence([True] * it + [False] * (audits - it), bound)[-1] for it in range(most + 1)])


def tripped(bound: float, share: float, audits: int) -> np.ndarray:
    """The chance that the evidence reached its limit after 1, 2, ... audits, of which a `share` is wrong.

    A state is how many were wrong so far: the limit is reached at a number of wrong ones that grows with the audits, so the chances
    of what is below it are carried along."""
    most = int(audits * share + 12 * np.sqrt(audits * share) + 30)
    alive, found, reached, limit = np.zeros(most + 2), [], 0.0, 1
    alive[0] = 1.0
    for number in range(1, audits + 1):
        alive[1:] = alive[1:] * (1 - share) + alive[:-1] * share
        alive[0] *= 1 - share
        while limit <= most and _closed(limit, number, bound) < TRIPS:
            limit += 1
        reached += alive[limit:].sum()
        alive[limit:] = 0.0
        found.append(reached)
    return np.array(found)


def _closed(wrong: int, audits: int, bound: float) -> float:
    """The evidence after `wrong` of `audits`, from its definition."""
    shares = np.minimum(np.array([2, 3, 5, 10]) * bound, 0.99)
    logs = wrong * np.log(shares / bound) + (audits - wrong) * np.log((1 - shares) / (1 - bound))
    return float(np.average(np.exp(logs), weights=[1, 3, 1, 1]))


@given(streams, bounds)
def test_the_evidence_is_what_its_definition_says(stream: list[bool], bound: float) -> None:
    found = evidence(stream, bound)
    assert len(found) == len(stream)
    for number in range(1, len(stream) + 1):
        assert found[number - 1] == pytest.approx(_closed(sum(stream[:number]), number, bound))


@given(streams, bounds, st.floats(0, 1))
def test_whatever_was_said_the_next_answer_is_not_expected_to_add_evidence(
    stream: list[bool], bound: float, part: float
) -> None:
    """A supermartingale under every share up to the bound, a martingale at the bound itself."""
    share = part * bound
    now = evidence(stream, bound)[-1] if stream else 1.0
    right, wrong = (evidence([*stream, it], bound)[-1] for it in (False, True))
    assert right < now < wrong
    expected = share * wrong + (1 - share) * right
    assert expected <= now * (1 + 1e-9)
    assert bound * wrong + (1 - bound) * right == pytest.approx(now)


@pytest.mark.parametrize("bound", BOUNDS)
def test_its_expected_value_is_one_at_the_bound_and_less_below(bound: float) -> None:
    audits = 120
    found = evidences(audits, audits, bound)
    for share in (bound, bound / 2, bound / 10, 0.0):
        expected = float((binom.pmf(np.arange(audits + 1), audits, share) * found).sum())
        assert expected == pytest.approx(1.0) if share == bound else expected < 1


@given(streams.filter(lambda it: False in it), bounds, st.data())
def test_one_more_wrong_answer_never_speaks_for_the_gate(stream: list[bool], bound: float, data: st.DataObject) -> None:
    at = data.draw(st.sampled_from([number for number, it in enumerate(stream) if not it]))
    worse = [*stream[:at], True, *stream[at + 1 :]]
    assert (evidence(worse, bound) >= evidence(stream, bound) * (1 - 1e-12)).all()


@pytest.mark.parametrize(("bound", "audits"), [(0.10, 800), (0.05, 1_500), (0.02, 3_000), (0.01, 6_000)])
def test_a_gate_that_keeps_its_bound_is_seldom_moved(bound: float, audits: int) -> None:
    found = tripped(bound, bound, audits)
    assert found[-1] < 0.048
    assert found[-1] - found[audits // 2] < 0.002  # and it is not going to be
    assert tripped(bound, bound / 2, audits)[-1] < 0.005


@pytest.mark.parametrize(("bound", "audits"), [(0.10, 65), (0.05, 130), (0.02, 340), (0.01, 714)])
def test_a_threefold_breach_moves_the_gate_in_time(bound: float, audits: int) -> None:
    assert tripped(bound, 3 * bound, audits)[-1] >= 0.95
