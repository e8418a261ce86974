"""What no label resembles is told apart: an unseen way of differing, an unseen place; what labels know is not."""

import numpy as np
import pandas as pd
import pytest

from attribution.features import value_features
from attribution.novelty import ALONE, RARE, Familiar, familiar
from tests.simulation.world import World

HABITS = ("counterparty", "trader", "field")


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Differences of one world, without provers."""
    return World(1).draw(6_000, 5).rows.assign(claim="")


@pytest.fixture(scope="module")
def known(rows: pd.DataFrame) -> Familiar:
    """What the first 5,000 know."""
    return familiar(rows.iloc[:5_000], value_features(rows.iloc[:5_000]), HABITS)


def told(known: Familiar, rows: pd.DataFrame) -> np.ndarray:
    """What is said of rows."""
    rows = rows.reset_index(drop=True)
    return known.unfamiliar(rows, value_features(rows))


def test_what_labels_know_is_familiar_and_what_they_do_not_is_not(rows: pd.DataFrame, known: Familiar) -> None:
    later = rows.iloc[5_000:]
    assert (told(known, later) != "").mean() < 0.15
    numbers = later[later["kind"] == "number"].iloc[:50]
    unseen = numbers.assign(value_b=[f"{-0.5 * float(a):.2f}" for a in numbers["value_a"]])
    assert (told(known, unseen) != "").mean() > 0.9
    assert set(told(known, later.assign(field="new", kind="text", claim="NEW"))) == {ALONE}


def test_a_known_look_is_rare_where_it_hardly_ever_comes(rows: pd.DataFrame) -> None:
    signs = rows["kind"].eq("number") & rows["value_b"].eq("-" + rows["value_a"])
    apart = rows[~(signs & rows["counterparty"].isin(("cp0", "cp1", "cp2")))]
    known = familiar(apart, value_features(apart.reset_index(drop=True)), HABITS)
    elsewhere = rows[signs & ~rows["counterparty"].isin(("cp0", "cp1", "cp2"))]
    rare = RARE.format("counterparty, trader and field")
    there, here = (
        told(known, elsewhere.assign(counterparty=name)) == rare for name in ("cp0", elsewhere["counterparty"])
    )
    assert there.mean() > 0.9
    assert here.mean() < 0.6
    assert (told(known, elsewhere.assign(counterparty="never seen")) == rare).mean() < there.mean()


def test_it_is_the_same_after_a_walk_through_a_document(rows: pd.DataFrame, known: Familiar) -> None:
    again = Familiar.from_document(known.document())
    assert again.document() == known.document()
    assert (told(again, rows) == told(known, rows)).all()


def test_nothing_and_little_do_no_harm(rows: pd.DataFrame, known: Familiar) -> None:
    assert told(known, rows.iloc[:0]).shape == (0,)
    one = rows.iloc[:1]
    assert len(told(familiar(one, value_features(one), ()), rows)) == len(rows)
