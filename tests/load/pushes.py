"""The load of programs: 200 pushes of 100 records a second for 20 seconds, during a run; then every record counted.

python -m tests.load.pushes K6     (inside `python -m config.stack up`, which `make load` does)
"""

import datetime as dt
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import django

django.setup()

from django.contrib.auth.models import Group, User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.db.models import Sum  # noqa: E402

from config.doors import known_source, to_delivery  # noqa: E402
from config.pipeline import ACTIVE, ring  # noqa: E402
from ingestion.deliveries import normalize_delivery, plan_normalization  # noqa: E402
from ingestion.models import OpenDelivery, Receipt  # noqa: E402
from ingestion.push import seal_open  # noqa: E402
from reconciliation.models import Reconciliation, Run  # noqa: E402
from reconciliation.runs import start_run  # noqa: E402
from review.tokens import make_token  # noqa: E402
from tests.benchmarks.pairs import write_pairs  # noqa: E402

PAIRS = 300_000
PUSHED = 1_000  # the pairs whose definition the pushed source borrows
DAY = dt.date(2026, 11, 20)


def main(k6: str) -> int:
    """k6's exit code; 1 when a record was lost or doubled, or when no run was going on."""
    with tempfile.TemporaryDirectory() as name:
        source = _pushed_source(Path(name))
        stop, runs = threading.Event(), Runs(Path(name))
        worker = threading.Thread(target=runs.keep_on, args=[stop])
        worker.start()
        told = Path(name) / "summary.json"
        given = {"LOAD_TOKEN": _token(), "LOAD_SOURCE": source, "LOAD_DATE": DAY.isoformat()}
        script = str(Path(__file__).with_name("pushes.js"))
        code = subprocess.call(
            [k6, "run", "--quiet", "--no-usage-report", "--summary-export", str(told), script],
            env={**os.environ, **given},
        )
        stop.set()
        worker.join()
        print(f"{runs.ended} runs of {PAIRS:,} pairs ended meanwhile or right after.")
        return code or _counted(source, json.loads(told.read_text()))


class Runs:
    """Runs of the product's workers, one after the other, as long as the load lasts."""

    def __init__(self, folder: Path) -> None:
        write_pairs(PAIRS, folder)
        call_command("define", str(folder / "definition.yaml"))
        for side in ("a", "b"):
            accepted = to_delivery(known_source(f"bench_{side}_{PAIRS}"), folder / f"{side}.csv", DAY)
            normalize_delivery(plan_normalization(accepted.delivery))
        self.reconciliation = Reconciliation.objects.get(code=f"bench_{PAIRS}")
        self.ended = 0

    def keep_on(self, stop: threading.Event) -> None:
        """Start a run, wait for its end, start the next."""
        while not stop.is_set():
            run = start_run(reconciliation=self.reconciliation, business_date=DAY, by="load")
            ring(run)
            while run.state in ACTIVE:
                time.sleep(0.5)
                run.refresh_from_db()
            self.ended += run.state == Run.State.DONE
        connections.close_all()


def _pushed_source(folder: Path) -> str:
    write_pairs(PUSHED, folder)
    definition = folder / "definition.yaml"
    kind = "kind: push, connection: {seconds: 3600}, format: {type: ndjson}, "
    text = definition.read_text(encoding="utf-8")
    definition.write_text(text.replace("bench_a_1000: {", f"bench_a_1000: {{{kind}"), encoding="utf-8")
    call_command("define", str(definition))
    return f"bench_a_{PUSHED}"


def _token() -> str:
    user, _ = User.objects.get_or_create(username="load")
    user.groups.set(Group.objects.filter(name="API client"))
    return make_token(user=user, name=secrets.token_hex(4), scopes=["deliver"], days=1)


def _counted(source: str, told: dict) -> int:
    """Whether the sealed delivery has exactly the records of the pushes that were answered 202, and of no others."""
    accepted = told["metrics"]["checks"]["passes"] * 100
    received = Receipt.objects.filter(source__code=source).aggregate(Sum("records"))["records__sum"]
    delivered = 0
    for opened in OpenDelivery.objects.filter(source__code=source):
        delivered += normalize_delivery(plan_normalization(seal_open(opened))).received
    print(f"{accepted:,} records were accepted, {received:,} stand on receipts, {delivered:,} are delivered.")
    call_command("verify")
    return 0 if accepted == received == delivered else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
