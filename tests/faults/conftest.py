"""Real workers on the test database, with a broker and a lake of their own."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
import redis
from django.conf import settings
from django.db import connection, connections, transaction
from kombu import pools

from config.celery import app
from config.definitions.apply import apply_definition
from config.pipeline import ring
from config.stack.process import Child, end_all
from config.stack.product import start_beat, worker_command
from config.tasks import sweep
from ingestion.deliveries import accept_delivery, plan_normalization
from ingestion.models import Source
from reconciliation.models import Reconciliation, Run
from reconciliation.runs import start_run
from tests.conftest import DAY, DEFINITION, HEADER, row
from tests.faults.ready import start_module

T = TypeVar("T")
ALL = "ingest,diff,attribution"
LEASE = 2  # seconds
PATIENCE = 60


def until(holds: Callable[[], object], what: str, *, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Wait for something to hold; the test fails with `what` when it never does."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            pytest.fail(f"After {PATIENCE} s: {what}.")
        meanwhile()
        time.sleep(0.1)


def meanwhile(
    first: Callable[[], object], second: Callable[[], T], third: Callable[[], object] = lambda: None
) -> Future[T]:
    """The second begins before the first one's transaction ends; the third is what else that transaction does."""

    def ended() -> T:
        try:
            return second()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        first()
        waiting = pool.submit(ended)
        time.sleep(0.2)
        third()
    return waiting


@pytest.fixture
def broker() -> str:
    """The URL of a broker database that no other test process uses, emptied."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 10
    url = f"{settings.REDIS_URL.rsplit('/', 1)[0]}/{4 + number}"
    if app.conf.broker_url != url:
        app.conf["broker_url"] = url
        pools.reset()
        for owner, pool in ((app.amqp, "_producer_pool"), (app, "_pool")):
            setattr(owner, pool, None)  # it may hold the other one
    redis.from_url(url).flushdb()
    return url


def _database_url() -> str:
    head, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    return f"{head}/{connection.settings_dict['NAME']}"


Start = Callable[..., BaseProcess]


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    """What a test commits goes afterwards, the store's own tables too, which no flush knows."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'store'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'DROP TABLE store."{table}" CASCADE')


@pytest.fixture
def process_env(committed: None, broker: str, lake: Path, tmp_path: Path) -> dict[str, str]:
    """What a process of the product needs to work on the test's database, broker, lake and drop folder."""
    return os.environ | {
        "DATABASE_URL": _database_url(),
        "REDIS_URL": broker,
        "LAKE_DIR": str(lake),
        "DROP_FOLDERS": str(tmp_path / "drop"),
        "STEP_LEASE_SECONDS": str(LEASE),
        "IDLE_TRANSACTION_SECONDS": str(LEASE),
    }


@pytest.fixture
def beat(process_env: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], Child]]:
    """Start a beat as the product does, or several; all end with the test."""
    started: list[Child] = []

    def start() -> Child:
        started.append(start_beat(tmp_path / f"beat-{len(started)}", process_env))
        return started[-1]

    yield start
    end_all(started)


@pytest.fixture
def worker(process_env: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Start a worker of some queues as the product does; all are killed in the end."""
    started: list[BaseProcess] = []

    def start(queues: str = ALL) -> BaseProcess:
        started.append(start_module(worker_command(queues), process_env, tmp_path / f"worker-{len(started)}.log"))
        return started[-1]

    yield start
    for process in started:
        kill(process)


def kill(process: BaseProcess) -> None:
    """SIGKILL, children included."""
    if process.is_alive():
        until(lambda: os.getpgid(int(process.pid or 0)) == process.pid, "it began no session of its own")
        os.killpg(int(process.pid or 0), signal.SIGKILL)
        process.join()


@pytest.fixture
def waiting_run(committed: None, broker: str, tmp_path: Path) -> Callable[..., Run]:
    """A run of 40 pairs: one rounded (passes), one with the sign turned, one row without a key. Its tasks are sent."""

    def make(day: int = 0) -> Run:
        apply_definition(DEFINITION, tmp_path)
        date = DAY.replace(day=DAY.day + day)
        left = [row(f"T{n:03}", f"{n}.25") for n in range(1, 41)]
        right = [
            row("T010", "10.00"),
            row("T020", "-20.25"),
            *(it for n, it in enumerate(left, 1) if n not in (10, 20)),
        ]
        for source, rows in (("left", [*left, row("")]), ("right", right)):
            file = tmp_path / f"{source}.csv"
            file.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
            plan_normalization(
                accept_delivery(source=Source.objects.get(code=source), file=file, business_date=date).delivery
            )
        run = start_run(reconciliation=Reconciliation.objects.get(code="trades"), business_date=date, by="test")
        ring(run)
        return run

    return make


@contextmanager
def held(table: str) -> Iterator[Callable[[], bool]]:
    """Let nobody write a table. Gives whether somebody waits to."""
    with (
        psycopg.connect(_database_url(), autocommit=False) as holder,
        psycopg.connect(_database_url(), autocommit=True) as watcher,
    ):
        holder.execute(f"LOCK TABLE {table} IN SHARE MODE")

        def is_waited_for() -> bool:
            found = watcher.execute(
                "SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND NOT granted", [table]
            )
            return bool(found.fetchone()[0])  # type: ignore[index]

        yield is_waited_for


@contextmanager
def held_run(run: Run) -> Iterator[Callable[[], bool]]:
    """Let nobody change a run's row, while rows that refer to it may come. Gives whether somebody waits to."""
    with (
        psycopg.connect(_database_url(), autocommit=False) as holder,
        psycopg.connect(_database_url(), autocommit=True) as watcher,
    ):
        holder.execute("SELECT FROM reconciliation_run WHERE id = %s FOR NO KEY UPDATE", [run.pk])

        def is_waited_for() -> bool:
            found = watcher.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))", [holder.info.backend_pid]
            )
            return bool(found.fetchone()[0])  # type: ignore[index]

        yield is_waited_for


def finished(run: Run) -> bool:
    """Whether it has ended, read anew."""
    run.refresh_from_db()
    return run.state in (Run.State.DONE, Run.State.FAILED)


def swept() -> None:
    """What beat does every half minute."""
    sweep.delay()
    time.sleep(0.4)
