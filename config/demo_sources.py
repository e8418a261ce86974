"""The demo's sources of each kind: each hands over by its own door, then what they have in common is reconciled."""

import csv
import datetime as dt
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2 as httpx
import psycopg
from django.conf import settings

from config import tasks
from config.definitions.apply import apply_definition
from config.demo_program import program_headers
from ingestion.connectors.kinds import PULLED
from ingestion.models import Delivery, Source

FOLDER = Path(settings.BASE_DIR) / "examples" / "every_source"
DAY = dt.date(2026, 11, 20)
RECONCILIATIONS = ("card_takings", "shipments", "payouts")
PATIENCE_SECONDS = 60
AGAIN_SECONDS = 2
CODES = ("till", "acquirer", "warehouse", "carrier", "payroll", "bank")


def is_there() -> bool:
    """Whether the other side of the demo's sources runs, as `make demo` starts it."""
    return "TIEOUT_DEMO_API" in os.environ and "TIEOUT_URL" in os.environ


def hand_over(site: str, password: str) -> None:
    """Let every source deliver once, each by its own door. What was delivered before is left alone."""
    _fill_mart()
    drop = Path(settings.DROP_FOLDERS[0]) / "acquirer"
    drop.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(FOLDER / "settled_20261120.ndjson.gz", drop / "settled_20261120.ndjson.gz")
    apply_definition((FOLDER / "definition.yaml").read_text(encoding="utf-8"), FOLDER, by="demo")
    pulled = [it for it in Source.objects.filter(kind__in=PULLED, code__in=CODES) if not it.deliveries.exists()]
    for source in pulled:
        tasks.send(tasks.pull_source.delay, source.pk)  # while the workers pull, the others hand over
    with httpx.Client(base_url=site, trust_env=False, timeout=60, follow_redirects=True) as http:
        upload_on_page(http, "till", FOLDER / "till.csv", password)
    program = program_headers("read", "deliver")
    with httpx.Client(base_url=f"{site}/api/v1/", trust_env=False, timeout=60, headers=program) as http:
        push_by_api(http, "payroll", FOLDER / "paid.json")
        deliver_by_api(http, "bank", FOLDER / "booked.xml")
    _wait_for(pulled)


def _fill_mart() -> None:
    """The warehouse's own table, as another system keeps it."""
    with (FOLDER / "dispatched.csv").open(encoding="utf-8", newline="") as file:
        rows = [tuple(row) for row in csv.reader(file)][1:]
    url = os.environ["TIEOUT_DEMO_MART"].replace("+psycopg", "", 1)
    with psycopg.connect(url) as mart:
        mart.execute("CREATE SCHEMA IF NOT EXISTS demo_mart")
        mart.execute(
            "CREATE TABLE IF NOT EXISTS demo_mart.dispatched (id bigint PRIMARY KEY, parcel text NOT NULL, "
            "shipped date NOT NULL, weight_kg numeric NOT NULL, cost numeric NOT NULL)"
        )
        with mart.cursor() as cursor:
            insert = "INSERT INTO demo_mart.dispatched VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
            cursor.executemany(insert, rows)


def upload_on_page(http: httpx.Client, source: str, file: Path, password: str) -> None:
    """Sign in, upload, look at the preview and accept it, as a browser without JavaScript does."""
    _post(http, "/sign-in/", {"username": "analyst", "password": password})
    with file.open("rb") as body:
        form = {"source": source, "date": DAY.isoformat()}
        preview = _post(http, "/upload/", form, files={"file": (file.name, body)})
    _post(http, f"{preview.url.path}accept/", {}, seen=preview.text)


def _post(http: httpx.Client, path: str, form: dict[str, str], seen: str = "", **more: object) -> httpx.Response:
    """Send a form with the token of the page that shows it."""
    page = seen or http.get(path).raise_for_status().text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    headers = {"Referer": str(http.base_url)}
    given = {"csrfmiddlewaretoken": token[1] if token else "", **form}
    return http.post(path, data=given, headers=headers, **more).raise_for_status()  # type: ignore[arg-type]


def push_by_api(http: httpx.Client, source: str, file: Path) -> None:
    """Push the records of a JSON array in one request, and end the gathering."""
    key = {"Idempotency-Key": f"demo-{source}-{DAY}"}
    pushed = {**key, "Content-Type": "application/json"}
    records = f"sources/{source}/records"
    http.post(records, params={"date": DAY.isoformat()}, content=file.read_bytes(), headers=pushed).raise_for_status()
    http.post(f"sources/{source}/seal", json={"date": DAY.isoformat()}, headers=key).raise_for_status()


def deliver_by_api(http: httpx.Client, source: str, file: Path) -> None:
    """Send a file with its source and date."""
    form, key = {"source": source, "date": DAY.isoformat()}, {"Idempotency-Key": f"demo-{source}-{DAY}"}
    with file.open("rb") as body:
        http.post("deliveries", data=form, files={"file": (file.name, body)}, headers=key).raise_for_status()


def _wait_for(pulled: list[Source]) -> None:
    """Ask again until every pulled source has delivered: a dropped file is taken when it is the same twice."""
    until(lambda: not _silent(pulled), "the pulled sources", again=lambda: _ask_again(pulled))


def _silent(sources: list[Source]) -> list[Source]:
    return [it for it in sources if not it.deliveries.exists()]


def _ask_again(sources: list[Source]) -> None:
    for source in _silent(sources):
        tasks.send(tasks.pull_source.delay, source.pk)


def until(holds: Callable[[], bool], what: str, *, again: Callable[[], None]) -> None:
    """Wait; every two seconds ask again. TimeoutError says for what."""
    end, next_ = time.monotonic() + PATIENCE_SECONDS, 0.0
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"The demo waited {PATIENCE_SECONDS} s for {what}. The logs of the workers say more.")
        if time.monotonic() > next_:
            again()
            next_ = time.monotonic() + AGAIN_SECONDS
        time.sleep(0.1)


def source_lines() -> Iterator[str]:
    """A line for each source: how its first delivery came, and how many rows it has."""
    first = Delivery.objects.filter(source__code__in=CODES, business_date=DAY).select_related("source")
    for it in sorted(first, key=lambda it: CODES.index(it.source.code)):
        read = it.normalizations.last()
        yield f"  {it.source.code:12}{it.source.kind:8}{it.received_by:18}{it.file_name[:40]:42}{(read.received if read else 0) or 0:>6,}"
