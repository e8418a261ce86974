"""What a module imports whose tests look at one thing, made once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import define_trades


@pytest.fixture(scope="module")
def lake_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One lake for the module, whose run is made by the fixture `standing`."""
    return tmp_path_factory.mktemp("lake")


@pytest.fixture(scope="module")
def standing_trades(around: Callable[[Callable[[], Any]], Any], tmp_path_factory: pytest.TempPathFactory) -> bool:
    """`trades` is defined once for the module, and each test finds it as it was defined."""
    around(lambda: define_trades(tmp_path_factory.mktemp("standing")))
    return True
