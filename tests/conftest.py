"""Fixtures of all tests: a lake of its own, roles with people, and a small reconciliation to walk through."""

import datetime as dt
import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.test import Client, TransactionTestCase, override_settings
from pytest_django import fixtures

from config.definitions.apply import apply_definition
from config.pipeline import run_to_end
from config.web_server import post_worker_init
from ingestion.changes import Change
from ingestion.deliveries import accept_delivery, normalize_delivery, plan_normalization
from ingestion.models import Normalization, Source
from reconciliation.models import Reconciliation, Run
from reconciliation.runs import start_run
from reconciliation.verify import CHECKS
from tests.taken_back import keep_as_migrated, take_back
from tests.template import migrated_template

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
DAY = dt.date(2026, 11, 20)
DEFINITION = """
record_types:
  party: {fields: {name: {type: text, key: true}, country: {type: text}}}
  trade:
    fields:
      id: {type: text, key: true}
      day: {type: date}
      party: {type: reference, to: party}
      amount: {type: decimal, digits: 18, places: 2}
      currency: {type: text}
sources:
  left:
    record_type: trade
    mapping: &mapping
      id: {column: id}
      day: {column: day}
      party.name: {column: party}
      party.country: {column: country}
      amount: {column: amount}
      currency: {column: currency}
  right: {record_type: trade, mapping: *mapping}
reconciliations:
  trades:
    a: left
    b: right
    compare: {amount: {absolute: "0.005"}}
    gate: {checks: [{field: amount, rule: between, min: "0", max: "1000"}]}
"""
HEADER = "id,day,party,country,amount,currency"


def pytest_configure() -> None:
    """Test processes count their runs alike and share a cache server, so each keeps its entries under its own name."""
    django_settings.CACHES["default"]["KEY_PREFIX"] = os.environ.get("PYTEST_XDIST_WORKER", "alone")


def pytest_collection_finish() -> None:
    """Look for garbage as the web server does."""
    post_worker_init(None)


def pytest_unconfigure() -> None:
    """Libraries that look for what leaks see an end as without us."""
    gc.unfreeze()


# A busy machine is no fault, and the same commit gives the same answer; `--hypothesis-profile=deep` looks further.
hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
hypothesis.settings.register_profile("deep", deadline=None, max_examples=2_000)
hypothesis.settings.load_profile("same")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real data with known truth, and hostile files."""
    return SHARED


def storages(lake: Path) -> dict[str, dict[str, object]]:
    """The setting for a lake in a folder, and plain static files."""
    files: dict[str, object] = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(lake)},
    }
    return {"default": files, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


@pytest.fixture
def lake_folder(tmp_path: Path) -> Path:
    """Where the lake of a test lies; its own."""
    return tmp_path / "lake"


@pytest.fixture(autouse=True)
def lake(settings: fixtures.Settings, lake_folder: Path) -> Path:
    """The lake of a test."""
    settings.STORAGES = storages(lake_folder)
    return lake_folder


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Each test process copies a database in which the migrations ran already."""
    connection.settings_dict["TEST"]["TEMPLATE"] = migrated_template(os.environ["DATABASE_URL"])


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:  # noqa: ANN401
    """What a test commits is taken back after it."""
    with django_db_blocker.unblock():
        keep_as_migrated()
    setattr(TransactionTestCase, "_fixture_teardown", take_back)  # noqa: B010 - a name that the stubs leave out


@pytest.fixture(autouse=True)
def _anchors(settings: fixtures.Settings, tmp_path: Path) -> None:
    """Each test has its own file of anchors."""
    settings.AUDIT_ANCHORS = str(tmp_path / "audit-anchors")


@pytest.fixture(autouse=True)
def _quick_passwords(settings: fixtures.Settings) -> None:
    """A third of a second for each person made is what guessing should cost, not testing."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def define(db: None, tmp_path: Path) -> Callable[[str], list[Change]]:
    """Apply a definition text."""
    return lambda text: apply_definition(text, tmp_path)


def define_trades(folder: Path) -> Reconciliation:
    """The small reconciliation `trades` between `left` and `right`."""
    apply_definition(DEFINITION, folder)
    return Reconciliation.objects.get(code="trades")


@pytest.fixture(scope="module")
def standing_trades() -> bool:
    """Whether `trades` is there before each test of a module, as tests.standing.standing_trades makes it."""
    return False


@pytest.fixture
def trades(standing_trades: bool, db: None, tmp_path: Path) -> Reconciliation:
    """The small reconciliation `trades` between `left` and `right`."""
    return Reconciliation.objects.get(code="trades") if standing_trades else define_trades(tmp_path)


Deliver = Callable[..., Normalization]


def deliver_to(
    source: str, content: str | Path, folder: Path, day: dt.date = DAY, *, accept: bool = False
) -> Normalization:
    """Deliver a text (or a file) to a source and normalize it."""
    file = content if isinstance(content, Path) else folder / f"{source}.csv"
    if isinstance(content, str):
        file.write_text(content, encoding="utf-8")
    accepted = accept_delivery(source=Source.objects.get(code=source), file=file, business_date=day)
    return normalize_delivery(plan_normalization(accepted.delivery), accept=accept)


@pytest.fixture
def deliver(db: None, tmp_path: Path) -> Deliver:
    """Deliver a text (or a file) to a source and normalize it."""

    def run(source: str, content: str | Path, day: dt.date = DAY, *, accept: bool = False) -> Normalization:
        return deliver_to(source, content, tmp_path, day, accept=accept)

    return run


def reconcile_rows(
    trades: Reconciliation, folder: Path, left: list[str] | None, right: list[str] | None, day: dt.date = DAY
) -> Run:
    """Deliver rows (without header) to both sides of `trades` and run to the end."""
    for source, rows in (("left", left), ("right", right)):
        if rows is not None:
            deliver_to(source, "\n".join([HEADER, *rows]) + "\n", folder, day)
    return run_to_end(start_run(reconciliation=trades, business_date=day, by="test"))


@pytest.fixture
def reconcile(trades: Reconciliation, tmp_path: Path) -> Callable[..., Run]:
    """Deliver rows (without header) to both sides of `trades` and run to the end."""

    def run(left: list[str] | None = None, right: list[str] | None = None, day: dt.date = DAY) -> Run:
        return reconcile_rows(trades, tmp_path, left, right, day)

    return run


@pytest.fixture(scope="module")
def around(django_db_setup: None, django_db_blocker: Any) -> Iterator[Callable[[Callable[[], Any]], Any]]:  # noqa: ANN401
    """Do something for all tests of a module: what it makes stands in each of them, and what a test does to it is taken back
    with the test."""
    outer = transaction.atomic()

    def do(make: Callable[[], Any]) -> Any:  # noqa: ANN401
        with django_db_blocker.unblock():
            return make()

    do(outer.__enter__)
    yield do
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        outer.__exit__(None, None, None)


@pytest.fixture(scope="module")
def once(
    around: Callable[[Callable[[], Any]], Any], tmp_path_factory: pytest.TempPathFactory, lake_folder: Path
) -> Callable[[Callable[[Path], Any]], Any]:
    """Do something, given a folder, for all tests of a module, which has to import tests.standing.lake_folder."""
    folder = tmp_path_factory.mktemp("standing")

    def do(make: Callable[[Path], Any]) -> Any:  # noqa: ANN401
        with override_settings(STORAGES=storages(lake_folder)):
            return around(lambda: make(folder))

    return do


@pytest.fixture(scope="module")
def standing(once: Callable[[Callable[[Path], Any]], Any]) -> Callable[..., Run]:
    """`reconcile` for all tests of a module."""

    def run(left: list[str] | None = None, right: list[str] | None = None) -> Run:
        return once(lambda folder: reconcile_rows(define_trades(folder), folder, left, right))

    return run


def make_person(role: str, name: str = "", password: str | None = None) -> User:
    """A user with a role, who cannot sign in without a password."""
    user = User.objects.create_user(name or role.lower().replace(" ", "_"), password=password)
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    """A user with a role."""
    return lambda role, name="": make_person(role, name, "secret-of-a-test")


@pytest.fixture
def staff(person: Callable[[str], User], client: Client) -> Callable[[str], User]:
    """A user with a role who may enter the admin, signed in."""

    def sign_in(role: str) -> User:
        user = person(role)
        user.is_staff = True
        user.save()
        client.force_login(user)
        return user

    return sign_in


def problems() -> list[str]:
    """What `verify` would name."""
    return [sentence for check in CHECKS.values() for sentence in check()]


def row(key: str, amount: str = "10.00", day: str = "2026-11-20", party: str = "Acme", country: str = "DE") -> str:
    """A row of `trades`."""
    return f"{key},{day},{party},{country},{amount},EUR"
