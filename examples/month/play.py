"""Plays the month day by day and says how each one ends.

.venv/bin/python -m config.stack run -- .venv/bin/python manage.py migrate -v0
.venv/bin/python -m config.stack run -- .venv/bin/python examples/month/play.py
"""

import datetime as dt
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NAME = "payments_month"


def play(day: Mapping[str, Any], folder: Path, by: Any) -> list[Any]:  # noqa: ANN401 - Django is not set up yet
    """Do what a day asks for: deliveries, runs, another definition, decisions of the user `by`. Gives its runs."""
    from config.definitions.apply import apply_definition
    from config.pipeline import run_to_end
    from reconciliation.models import Break, Reconciliation
    from reconciliation.runs import start_run
    from review.decisions import decide

    runs = []
    for step in day["steps"]:
        if "define" in step:
            apply_definition((folder / step["define"]).read_text(encoding="utf-8"), folder)
        elif "deliver" in step:
            _deliver(step, folder)
        elif "run" in step:
            month = Reconciliation.objects.get(code=NAME)
            run = start_run(reconciliation=month, business_date=dt.date.fromisoformat(step["run"]), by="month")
            runs.append(run_to_end(run))
        else:
            brk = Break.objects.filter(reconciliation__code=NAME, key=step["decide"]).latest("pk")
            decide(brk=brk, action=step["action"], by=by)
    return runs


def _deliver(step: Mapping[str, Any], folder: Path) -> None:
    """Hand a file in. One that `stops` has columns that the mapping does not know; it is delivered again later."""
    from ingestion.arrival import take_in
    from ingestion.deliveries import normalize_delivery, plan_normalization
    from ingestion.errors import MissingColumn
    from ingestion.models import Source

    source, date = Source.objects.get(code=step["deliver"]), dt.date.fromisoformat(step["date"])
    taken = take_in(source=source, file=folder / step["file"], name=step["file"], given=date, by="month")
    try:
        normalize_delivery(plan_normalization(taken.delivery))
    except MissingColumn:
        if not step.get("stops"):
            raise


def main() -> None:
    """Generate the month, play it, print a line a day."""
    sys.path.insert(0, str(HERE.parent.parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.contrib.auth.models import Group, User

    from config.definitions.apply import apply_definition
    from examples.month.generate import write
    from reconciliation.verify import CHECKS

    by, _ = User.objects.get_or_create(username="month")
    by.groups.add(Group.objects.get(name="Manager"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        apply_definition((HERE / "definition.yaml").read_text(encoding="utf-8"), HERE)
        for day in json.loads((folder / "plan.json").read_text(encoding="utf-8")):
            report = play(day, folder, by)[-1].report
            left = {it["currency"]: it["unexplained"] for it in report["statement"]["currencies"]}
            faults = [sentence for check in CHECKS.values() for sentence in check()]
            print(
                f"{day['date']}  records {report['records']}  open {report['open']}  left {left}  verify {faults or 'ok'}"
            )


if __name__ == "__main__":
    main()
