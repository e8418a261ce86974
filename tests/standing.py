"""The lake of a module whose tests look at one run: import it, and make the run once by the fixture `standing`."""

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def lake_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One lake for the module."""
    return tmp_path_factory.mktemp("lake")
