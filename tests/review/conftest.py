"""Two analysts, and records that pass and are drawn for blind audits."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from attribution.models import Draw
from reconciliation.models import Run
from tests.conftest import row

Rows = tuple[list[str], list[str]]


def rounded(number: int, first: int = 0) -> Rows:
    """Rows that differ by a rounding, and pass."""
    keys = [f"P{n}" for n in range(first, first + number)]
    return [row(key, "10.25") for key in keys], [row(key, "10.00") for key in keys]


@pytest.fixture
def ann(person: Callable[..., User]) -> User:
    """An Analyst."""
    return person("Analyst", "ann")


@pytest.fixture
def bob(person: Callable[..., User]) -> User:
    """Another one."""
    return person("Analyst", "bob")


@pytest.fixture
def passed(reconcile: Callable[..., Run]) -> Run:
    """A run of which four breaks passed and are drawn; a module may make it once."""
    return reconcile(*rounded(4))


@pytest.fixture
def draws(passed: Run, db: None) -> list[Draw]:
    """Four audits."""
    return list(Draw.objects.order_by("pk"))
