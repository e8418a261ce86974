"""Fixtures of all tests."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real data with known truth, and hostile files."""
    return SHARED
