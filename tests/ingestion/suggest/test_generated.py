"""Proposals for seeded pairs of files: other names or none in common, shuffled columns, codes, formats, noise."""

from collections.abc import Callable

import pytest
import yaml

from config.suggesting import Proposal
from tests.ingestion.suggest.generated import generate

CASES = [
    (seed, columns, names)
    for seed, (columns, names) in enumerate(
        [
            (3, "none"),
            (5, "alike"),
            (8, "none"),
            (12, "alike"),
            (12, "same"),
            (16, "alike"),
            (20, "none"),
            (20, "alike"),
        ]
    )
]


@pytest.mark.parametrize(("seed", "columns", "names"), CASES)
def test_every_pair_and_the_key_are_found(
    seed: int,
    columns: int,
    names: str,
    proposed: Callable[[str, str], Proposal],
    pairs_of: Callable[[Proposal], dict[str, str]],
) -> None:
    made = generate(seed, columns=columns, rows=200, names=names)
    found = proposed(made.a, made.b)
    assert pairs_of(found) == made.pairs
    assert [(it.pair.a.name, it.pair.b.name) for it in found.suggestion.fields if it.pair.is_key] == [made.key]
    noise = 0.03 * 200 * 2 + 6
    assert {name: count for name, count in found.trial.cells.items() if count > noise} == {}
    assert (found.trial.side_a.flagged_values, found.trial.side_b.flagged_values) == (0, 0)
    assert yaml.safe_load(found.text()) == found.document
    assert all(any(it.why) for it in found.suggestion.fields)
