"""Files that appear in a folder: each becomes one delivery, when it is whole, by its content."""

import datetime as dt
import gzip
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from pytest_django import fixtures

from config.tasks import pull_source
from ingestion import arrival
from ingestion.connectors.offer import PullError
from ingestion.deliveries import normalize_delivery, plan_normalization
from ingestion.models import Delivery, Normalization, OfferedThing, Source
from ingestion.pull import pull
from tests.conftest import DEFINITION

HEADER = "id,day,party,country,amount,currency"
ROW = "{id},2026-11-20,Acme,DE,10.00,EUR"


@pytest.fixture
def folder(tmp_path: Path, settings: fixtures.Settings) -> Path:
    """A folder that is open to drops."""
    place = tmp_path / "drop"
    place.mkdir()
    settings.DROP_FOLDERS = [str(place)]
    return place


@pytest.fixture
def source(define: Callable[[str], object], folder: Path) -> Source:
    """Side A, pulled from the folder."""
    return _source(define, f"file://{folder}/**/*.csv*")


def _source(define: Callable[[str], object], url: str) -> Source:
    drop = f"  left:\n    kind: drop\n    connection: {{url: '{url}'}}\n"
    define(DEFINITION.replace("  left:\n", drop))
    return Source.objects.get(code="left")


def _put(path: Path, *ids: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEADER, *(ROW.format(id=it) for it in ids)]) + "\n")
    return path


def test_a_file_is_taken_when_it_is_the_same_twice(source: Source, folder: Path) -> None:
    path = _put(folder / "a.csv", "A")
    assert pull(source).waiting == [str(path)]
    _put(path, "A", "B")  # still being written
    assert pull(source).waiting == [str(path)]
    delivery = pull(source).taken[str(path)]
    assert normalize_delivery(plan_normalization(delivery)).received == 2
    assert (pull(source).known, Delivery.objects.count()) == ([str(path)], 1)


def test_a_pull_that_is_killed_leaves_no_delivery_that_nobody_reads(
    source: Source, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _put(folder / "a.csv", "A")
    pull(source)
    with monkeypatch.context() as patched, pytest.raises(ZeroDivisionError):
        patched.setattr(arrival, "plan_normalization", lambda _: 1 // 0)
        pull(source)
    assert not Delivery.objects.exists()
    assert list(pull(source).taken) == [str(path)] and Normalization.objects.count() == 1


def test_renamed_and_repeated_files_count_once(source: Source, folder: Path) -> None:
    path = _put(folder / "a.csv", "A")
    pull(source)
    pull(source)
    path.rename(folder / "b.csv")
    _put(folder / "c.csv", "A")
    pull(source)
    assert sorted(pull(source).known) == [str(folder / "b.csv"), str(folder / "c.csv")]
    assert Delivery.objects.count() == 1
    assert {it.delivery_id for it in OfferedThing.objects.all()} == {Delivery.objects.get().pk}


def test_a_changed_file_is_another_delivery(source: Source, folder: Path) -> None:
    path = _put(folder / "a.csv", "A")
    pull(source)
    first = pull(source).taken[str(path)]
    _put(path, "B", "C")
    assert pull(source).waiting == [str(path)]
    assert pull(source).taken[str(path)] != first


def test_packed_files_are_taken(source: Source, folder: Path) -> None:
    path = folder / "a.csv.gz"
    path.write_bytes(gzip.compress(f"{HEADER}\n{ROW.format(id='A')}\n".encode()))
    pull(source)
    delivery = pull(source).taken[str(path)]
    assert normalize_delivery(plan_normalization(delivery)).normalized == 1


def test_a_partition_is_one_delivery_with_the_date_of_its_path(define: Callable[[str], object], folder: Path) -> None:
    place = folder / "trades" / "dt=2026-11-19"
    place.mkdir(parents=True)
    for name, ids in (("part-0", "'A', 'B'"), ("part-1", "'C'")):
        duckdb.sql(
            f"COPY (SELECT unnest([{ids}]) AS id, DATE '2026-11-19' AS day, 'Acme' AS party, 'DE' AS country, "
            f"10.00 AS amount, 'EUR' AS currency) TO '{place / name}.parquet'"
        )
    (place / "_SUCCESS").touch()
    source = _source(define, f"file://{folder}/trades/**/*")
    assert pull(source).waiting == [str(place)]
    delivery = pull(source).taken[str(place)]
    assert delivery.business_date == dt.date(2026, 11, 19)
    work = normalize_delivery(plan_normalization(delivery))
    assert (work.received, work.normalized) == (3, 3)


def test_a_folder_that_is_not_open_to_drops_is_refused(define: Callable[[str], object], folder: Path) -> None:
    source = _source(define, "file:///etc/*")
    with pytest.raises(PullError, match="/etc is in no folder for drops"):
        pull(source)


def test_links_lead_nowhere(source: Source, folder: Path, tmp_path: Path) -> None:
    secret = _put(tmp_path / "elsewhere" / "secret.csv", "A")
    (folder / "a.csv").symlink_to(secret)
    (folder / "inside").symlink_to(secret.parent)
    pull(source)
    assert all("is in no folder for drops" in it for it in pull(source).failed.values())
    assert not Delivery.objects.exists()


def test_a_file_without_a_readable_date_waits_with_a_sentence(source: Source, folder: Path) -> None:
    source.business_date = {"from_name": "left_([0-9]{8})"}
    source.save()
    path = _put(folder / "a.csv", "A")
    pull(source)
    assert "does not fit" in pull(source).failed[str(path)]
    assert "does not fit" in OfferedThing.objects.get().error
    path.rename(folder / "left_20261118.csv")
    pull(source)
    assert pull(source).taken[str(folder / "left_20261118.csv")].business_date == dt.date(2026, 11, 18)


def test_the_worker_pulls_and_normalizes(source: Source, folder: Path, settings: fixtures.Settings) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = True
    _put(folder / "a.csv", "A")
    pull_source(source.pk)
    pull_source(source.pk)
    assert Delivery.objects.get().file_name == "a.csv"


def test_a_folder_that_is_not_there_is_named(define: Callable[[str], object], folder: Path) -> None:
    source = _source(define, f"file://{folder}/nowhere/*.csv")
    with pytest.raises(PullError, match="There is no .*/nowhere, or this source may not look into it"):
        pull(source)
