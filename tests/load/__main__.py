"""The load test: the demo and a run of 20,000 pairs, then k6 for 20 seconds, then every decision counted.

python -m tests.load K6     (inside `python -m config.stack up`, which `make load` does)
"""

import datetime as dt
import json
import os
import secrets
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import Group, User  # noqa: E402
from django.core.management import call_command  # noqa: E402

from reconciliation.models import Break, Run  # noqa: E402
from review.models import Decision  # noqa: E402
from review.tokens import make_token  # noqa: E402
from tests.benchmarks.pairs import write_pairs  # noqa: E402

PAIRS = 20_000
RECONCILIATION = f"bench_{PAIRS}"


def main(k6: str) -> int:
    """k6's exit code; 1 when a decision was lost or doubled."""
    call_command("demo")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = _filled(folder)
        listed = folder / "breaks.json"
        waiting = Break.objects.filter(last_run=run, state=Break.State.REVIEW).order_by("id")
        listed.write_text(
            json.dumps(
                [
                    {"id": pk, "key": key, "reconciliation": RECONCILIATION}
                    for pk, key in waiting.values_list("pk", "key")
                ]
            )
        )
        before = Decision.objects.count()
        given = {
            "LOAD_PASSWORD": settings.DEMO_PASSWORD,
            "LOAD_TOKEN": _token(),
            "LOAD_RUN": str(run.pk),
            "LOAD_BREAKS": str(listed),
        }
        told = folder / "summary.json"
        script = str(Path(__file__).with_name("review.js"))
        code = subprocess.call(
            [k6, "run", "--quiet", "--no-usage-report", "--summary-export", str(told), script],
            env={**os.environ, **given},
        )
        return code or _counted(told, Decision.objects.count() - before)


def _filled(folder: Path) -> Run:
    """A run whose breaks the load decides."""
    write_pairs(PAIRS, folder)
    call_command("define", str(folder / "definition.yaml"))
    day, quiet = dt.date(2026, 11, 20), StringIO()
    call_command("reconcile", RECONCILIATION, a=folder / "a.csv", b=folder / "b.csv", date=day, stdout=quiet)
    return Run.objects.filter(reconciliation__code=RECONCILIATION).latest("id")


def _token() -> str:
    user, _ = User.objects.get_or_create(username="load")
    user.groups.set(Group.objects.filter(name__in=("API client", "Supervisor")))
    return make_token(user=user, name=secrets.token_hex(4), scopes=["read", "decide"], days=1)


def _counted(told: Path, made: int) -> int:
    """Whether there are as many decisions as answers that said so."""
    said = _taken(json.loads(told.read_text())["root_group"])
    print(f"{said} decisions were answered, {made} stand in the database.")
    return 0 if said == made else 1


def _taken(group: dict[str, Any]) -> int:
    """Decisions that the checks of a group and of those inside it saw taken; what warms up is a group of its own."""
    mine = sum(it["passes"] for name, it in group["checks"].items() if "decision is taken" in name)
    return mine + sum(map(_taken, group["groups"].values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
