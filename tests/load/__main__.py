"""The load test: fifty reviewers decide every three seconds while programs push records and a run goes on; half-way Redis is
emptied; then every decision and every record is counted.

python -m tests.load K6 [--seconds 120] [--pairs 1000000]     (inside `python -m config.stack up`, on what generate_load made)
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
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django

django.setup()

import redis  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth.models import Group, User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.db.models import Count, Q, QuerySet, Sum  # noqa: E402

from config.doors import known_source, to_delivery  # noqa: E402
from config.pipeline import ring  # noqa: E402
from ingestion.deliveries import normalize_delivery, plan_normalization  # noqa: E402
from ingestion.models import OpenDelivery, Receipt  # noqa: E402
from ingestion.push import seal_open  # noqa: E402
from reconciliation.models import Break, Reconciliation, Run  # noqa: E402
from reconciliation.runs import start_run  # noqa: E402
from review.models import Decision  # noqa: E402
from review.tokens import make_token  # noqa: E402
from tests.benchmarks.pairs import write_pairs  # noqa: E402

PUSHED = 1_000  # the pairs whose definition the pushed source borrows
DAY = dt.date(2026, 11, 20)
COMMENT, PACE = "load", 3
KEYS = f"push-{secrets.token_hex(4)}"  # what this call pushes, not what an earlier one did


def main() -> int:
    """k6's exit code; 1 when a decision or a record was lost or doubled, or when no run was going on."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("k6")
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--pairs", type=int, default=1_000_000, help="of the run that goes on meanwhile")
    parser.add_argument("--reviewers", type=int, default=50)
    parser.add_argument("--rate", type=int, default=50, help="pushes of 100 records a second")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, runs = _pushed_source(folder), Runs(folder, given.pairs)
        wanted = given.reviewers * (given.seconds // PACE + 2)
        (folder / "breaks.json").write_text(json.dumps(_waiting(wanted)), encoding="utf-8")
        began = Decision.objects.count()
        with runs, Emptied(given.seconds / 2):
            code = _k6(given, folder, source)
        print(f"{runs.told()} {Break.objects.count():,} breaks stand.")
        return max([code, *map(int, _losses(folder, source, Decision.objects.count() - began, runs))])


def _waiting(wanted: int) -> list[dict[str, Any]]:
    """Breaks to decide, of reconciliations where one person decides, evenly from the oldest to the newest: every other one is to be
    approved, so that its record is stored."""
    found = Break.objects.filter(state=Break.State.REVIEW, reconciliation__four_eyes=False, kind="differing")
    turned = Q(reason="SIGN_FLIP")  # whose proposed record nothing holds
    both = [
        _spread(found.filter(it), wanted // 2 + 1, action) for it, action in ((turned, "approve"), (~turned, "reject"))
    ]
    return [brk for pair in zip(*both, strict=False) for brk in pair]


def _spread(breaks: QuerySet[Break], wanted: int, action: str) -> list[dict[str, Any]]:
    ids = list(breaks.order_by("pk").values_list("pk", "key", "reconciliation__code"))
    step = max(1, len(ids) // wanted)
    return [{"id": pk, "key": key, "reconciliation": code, "action": action} for pk, key, code in ids[::step]]


def _k6(given: Any, folder: Path, source: str) -> int:  # noqa: ANN401 - the arguments
    asked = {
        "LOAD_PASSWORD": settings.DEMO_PASSWORD, "LOAD_TOKEN": _token(), "LOAD_SOURCE": source, "LOAD_DATE": DAY.isoformat(), "LOAD_KEYS": KEYS,
        "LOAD_BREAKS": str(folder / "breaks.json"), "LOAD_SECONDS": str(given.seconds),
        "LOAD_REVIEWERS": str(given.reviewers), "LOAD_RATE": str(given.rate),
        "LOAD_RUNS": json.dumps(list(Run.objects.filter(state=Run.State.DONE).order_by("-pk").values_list("pk", flat=True)[:20])),
    }  # fmt: skip
    script, told = str(Path(__file__).with_name("review.js")), str(folder / "summary.json")
    command = [given.k6, "run", "--quiet", "--no-usage-report", "--summary-export", told, script]
    return subprocess.call(command, env={**os.environ, **asked})


class Runs:
    """Runs of the product's workers over the same million pairs, one after the other, as long as the load lasts."""

    def __init__(self, folder: Path, pairs: int) -> None:
        write_pairs(pairs, folder)
        call_command("define", str(folder / "definition.yaml"))
        for side in ("a", "b"):
            accepted = to_delivery(known_source(f"bench_{side}_{pairs}"), folder / f"{side}.csv", DAY)
            normalize_delivery(plan_normalization(accepted.delivery))
        self.reconciliation, self.pairs = Reconciliation.objects.get(code=f"bench_{pairs}"), pairs
        self.begun = self.ended = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._keep_on)

    def __enter__(self) -> "Runs":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()

    def told(self) -> str:
        """How many runs there were."""
        return f"{self.begun} runs of {self.pairs:,} pairs went on meanwhile, {self.ended} ended well."

    def _keep_on(self) -> None:
        while not self.stop.is_set():
            run = start_run(reconciliation=self.reconciliation, business_date=DAY, by="load")
            ring(run)
            self.begun += 1
            while run.state in Run.ACTIVE_STATES:
                time.sleep(0.5)
                run.refresh_from_db()
            self.ended += run.state == Run.State.DONE
        connections.close_all()


class Emptied:
    """Redis, emptied after a time: broker, cache and throttle lose all they have."""

    def __init__(self, seconds: float) -> None:
        self.timer = threading.Timer(seconds, self._empty)

    def __enter__(self) -> None:
        self.timer.start()

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()

    def _empty(self) -> None:
        redis.Redis.from_url(settings.REDIS_URL).flushall()
        print("Redis was emptied.", flush=True)


def _pushed_source(folder: Path) -> str:
    write_pairs(PUSHED, folder)
    definition = folder / "definition.yaml"
    kind = "kind: push, connection: {seconds: 3600}, format: {type: ndjson}, "
    text = definition.read_text(encoding="utf-8")
    definition.write_text(text.replace(f"bench_a_{PUSHED}: {{", f"bench_a_{PUSHED}: {{{kind}"), encoding="utf-8")
    call_command("define", str(definition))
    return f"bench_a_{PUSHED}"


def _token() -> str:
    user, _ = User.objects.get_or_create(username="load")
    user.groups.set(Group.objects.filter(name__in=("API client", "Supervisor")))
    return make_token(user=user, name=secrets.token_hex(4), scopes=["read", "deliver"], days=1)


def _losses(folder: Path, source: str, made: int, runs: Runs) -> Iterator[bool]:
    """Whether something is lost or doubled, question by question."""
    checks = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["root_group"]
    answered, pushed = _passes(checks, "a decision is taken"), _passes(checks, "a push is accepted") * 100
    doubled = Decision.objects.filter(comment=COMMENT).values("brk").annotate(n=Count("pk")).filter(n__gt=1).count()
    print(f"{answered:,} decisions were answered, {made:,} stand; {doubled} breaks were decided twice.")
    yield answered != made or doubled > 0
    mine = Receipt.objects.filter(source__code=source, key__startswith=KEYS)
    received = mine.aggregate(Sum("records"))["records__sum"]
    gathered = OpenDelivery.objects.filter(pk__in=mine.values("open_delivery"))
    delivered = sum(normalize_delivery(plan_normalization(seal_open(it))).received or 0 for it in gathered)
    print(f"{pushed:,} records were accepted, {received:,} stand on receipts, {delivered:,} are delivered.")
    yield not pushed == received == delivered
    yield runs.ended < runs.begun
    call_command("verify")


def _passes(group: dict[str, Any], name: str) -> int:
    """How often a check held, in a group and those inside it."""
    mine = sum(it["passes"] for it in group["checks"].values() if it["name"] == name)
    return int(mine + sum(_passes(it, name) for it in group["groups"].values()))


if __name__ == "__main__":
    sys.exit(main())
