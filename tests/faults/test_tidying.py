"""The lake keeps what a row names, and what is young."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from config.tidying import tidy
from reconciliation.models import Run
from tests.conftest import row
from tests.test_straight_path import problems


def test_only_what_nothing_names_goes_and_only_after_a_day(reconcile: Callable[..., Run], lake: Path) -> None:
    reconcile([row("A"), row("B")], [row("A"), row("B", "5.00")])
    left = [
        lake / "outcomes" / "1" / "7-1.parquet",
        lake / "normalizations" / "9-2",
        lake / "work" / "diff-3" / "spill",
    ]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    now = dt.datetime.now(dt.UTC)
    assert tidy(now) == []
    assert tidy(now + dt.timedelta(days=2)) == ["normalizations/9-2", "outcomes/1/7-1.parquet", "work/diff-3"]
    assert not any(path.exists() for path in left)
    assert problems() == []
