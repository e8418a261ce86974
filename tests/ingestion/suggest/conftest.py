"""What a proposal of two files comes to."""

from collections.abc import Callable
from pathlib import Path

import pytest

from config.suggesting import Proposal, propose

Columns = dict[str, str]


@pytest.fixture
def pairs_of() -> Callable[[Proposal], Columns]:
    """The proposed pairs, A's column to B's."""
    return lambda given: {field.pair.a.name: field.pair.b.name for field in given.suggestion.fields}


@pytest.fixture
def proposed(tmp_path: Path) -> Callable[[str, str], Proposal]:
    """The proposal for two texts."""

    def run(a: str, b: str) -> Proposal:
        files = tmp_path / "left.csv", tmp_path / "right.csv"
        for file, text in zip(files, (a, b), strict=True):
            file.write_text(text, encoding="utf-8")
        return propose(*files, name="case")

    return run
