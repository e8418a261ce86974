"""The demo: apply the examples, run the main job through the workers, print reports and a login."""

import datetime as dt
import os
import time
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from config import demo_budget, demo_learning, demo_sources
from config.definitions.apply import apply_definition
from config.demo_decisions import answer_together, decide_two, share_work
from config.demo_desk import lay_out
from config.demo_exports import take_along
from config.demo_holds import put_aside
from config.doors import to_delivery
from config.pipeline import ring
from config.report_table import report_line, report_table
from ingestion.deliveries import plan_normalization
from ingestion.work import retry
from reconciliation.models import Reconciliation, Run
from reconciliation.runs import start_run

EXAMPLES = Path(settings.BASE_DIR) / "examples"
DAYS = (
    ("fx_trades", "2026-11-20", "front_office_day1.csv", "back_office_day1.csv"),
    ("fx_trades", "2026-11-23", "front_office_day2.csv", "back_office_day2.csv"),
    ("airports", "2026-11-20", "openflights_airports.dat", "ourairports_airports.csv.gz"),
)
PEOPLE = {"analyst": "Analyst", "supervisor": "Supervisor", "manager": "Manager", "auditor": "Auditor"}
PATIENCE_SECONDS = 180


class Command(BaseCommand):
    help = "Apply examples/, run them through the workers, print the reports and a login. Repeat it freely."

    def handle(self, **_: object) -> None:
        """One example after the other."""
        password = settings.DEMO_PASSWORD
        self._people(password)
        for name in [*dict.fromkeys(day[0] for day in DAYS), demo_learning.FOLDER, demo_budget.FOLDER]:
            folder = EXAMPLES / name
            for line in apply_definition((folder / "definition.yaml").read_text(encoding="utf-8"), folder, by="demo"):
                self.stdout.write(str(line))
        for name, date, a, b in DAYS:
            day, folder = dt.date.fromisoformat(date), EXAMPLES / name
            done = self._run_day(Reconciliation.objects.get(code=name), day, folder / a, folder / b)
            assert done.report is not None
            self.stdout.write(report_table(done.report))
        if demo_sources.is_there():
            self._every_source(os.environ["TIEOUT_URL"], password)
        if site := os.environ.get("TIEOUT_URL"):
            for told in (*decide_two(site, password), *take_along(site)):
                self.stdout.write(told)
        for told in (*answer_together(), *share_work(), *put_aside(), *lay_out(EXAMPLES / "fx_trades")):
            self.stdout.write(told)
        admin = User.objects.get(username="admin")
        for told in demo_learning.learn(EXAMPLES / demo_learning.FOLDER, self._run_day, admin):
            self.stdout.write(told)
        for told in demo_budget.keep_to_a_budget(EXAMPLES / demo_budget.FOLDER, self._run_day, admin):
            self.stdout.write(told)
        self.stdout.write(
            f"Sign in at {os.environ.get('TIEOUT_URL', 'the web address')} as admin, analyst, supervisor, manager"
        )
        self.stdout.write(f"or auditor; the password of each is {password}")

    def _people(self, password: str) -> None:
        admin, is_new = User.objects.get_or_create(username="admin", defaults={"is_staff": True, "is_superuser": True})
        people = [(admin, is_new)]
        for name, role in PEOPLE.items():
            user, is_new = User.objects.get_or_create(username=name, defaults={"is_staff": True})
            user.groups.add(Group.objects.get(name=role))
            people.append((user, is_new))
        for user, is_new in people:
            if is_new:
                user.email = f"{user.username}@example.org"
                user.set_password(password)
                user.save()

    def _run_day(self, reconciliation: Reconciliation, date: dt.date, a: Path, b: Path) -> Run:
        """Deliver both files and let the workers run; a date that was run before is only found again."""
        done = self._done(reconciliation, date)
        if done is None:
            for source, file in ((reconciliation.a, a), (reconciliation.b, b)):
                retry(plan_normalization(to_delivery(source, file, date, by="demo").delivery))
            done = self._wait(self._start(reconciliation, date))
        return done

    def _every_source(self, site: str, password: str) -> None:
        """A source of each kind: let them hand over, run what they have in common side by side, print a line for each."""
        day, wanted = demo_sources.DAY, demo_sources.RECONCILIATIONS
        done = [self._done(it, day) for it in Reconciliation.objects.filter(code__in=wanted).order_by("pk")]
        if len(done) < len(wanted) or None in done:
            demo_sources.hand_over(site, password)
            started = [self._start(Reconciliation.objects.get(code=code), day) for code in wanted]
            done = [self._wait(run) for run in started]
        self.stdout.write("\n".join(["A source of each kind", *demo_sources.source_lines(), ""]))
        for run in done:
            assert run is not None and run.report is not None
            self.stdout.write(report_line(run.report))
        self.stdout.write("")

    def _done(self, reconciliation: Reconciliation, date: dt.date) -> Run | None:
        return Run.objects.filter(reconciliation=reconciliation, business_date=date, state=Run.State.DONE).last()

    def _start(self, reconciliation: Reconciliation, date: dt.date) -> Run:
        with transaction.atomic():
            run = start_run(reconciliation=reconciliation, business_date=date, by="demo")
        ring(run)
        return run

    def _wait(self, run: Run) -> Run:
        end = time.monotonic() + PATIENCE_SECONDS
        while run.state in Run.ACTIVE_STATES and time.monotonic() < end:
            time.sleep(0.2)
            run.refresh_from_db()
        if run.state != Run.State.DONE:
            raise CommandError(f"{run} is {run.state}. {run.error or 'The logs of the workers say more: var/logs.'}")
        return run
