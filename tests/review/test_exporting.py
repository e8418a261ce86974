"""Exports in the background: who may, of what, once, whole, kept for a time, recorded."""

import csv
import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import fixtures

from config.tidying import tidy
from ingestion import lake
from ingestion.custody import broken_seals
from ingestion.models import AuditEvent
from ingestion.work import silent
from reconciliation.models import Reconciliation, Run, Team
from review.export_files import BadExport
from review.export_kinds import KINDS
from review.exporting import (
    AT_ONCE,
    ExportGone,
    ExportRefused,
    Wanted,
    ask_export,
    carry_out,
    forget_expired,
    take_file,
)
from review.models import Export
from tests.conftest import row
from tests.standing import lake_folder  # noqa: F401

LEFT = [row("A"), row("B", "10.25"), row("=1+2"), row("U", "10.00"), "x,y"]
RIGHT = [row("A"), row("B", "10.00"), row("U", "77.31")]
Person = Callable[..., User]


@pytest.fixture(scope="module")
def ended(standing: Callable[..., Run]) -> Run:
    """A run with a passed break, an unexplained one, a lonely and a quarantined row."""
    return standing(LEFT, RIGHT)


@pytest.fixture
def run(ended: Run, db: None) -> Run:
    """The same, read anew."""
    return Run.objects.get(pk=ended.pk)


def made(wanted: Wanted, by: User) -> Export:
    """An export, made at once."""
    asked = ask_export(wanted=wanted, by=by)
    carry_out(asked)
    asked.refresh_from_db()
    return asked


def lines(export: Export) -> list[dict[str, str]]:
    """A CSV export, read back."""
    with lake.local(export.path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def filters_of(what: str, run: Run) -> dict[str, str]:
    """What each kind needs to be told."""
    needed = {"run": str(run.pk), "record_type": "trade"}
    return {name: needed[name] for name in KINDS[what].needs}


@pytest.mark.parametrize("format_", Export.Format.values)
def test_everything_is_exported_in_every_format_and_stays_sealed(run: Run, person: Person, format_: str) -> None:
    by = person("Auditor")  # who may read everything
    made(Wanted("queue", format_), by)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as a commit numbers the events of the audit log
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    for what in KINDS:
        export = made(Wanted(what, format_, filters_of(what, run)), by)
        file = lake.local(export.path)
        assert (export.state, export.error, export.sha256) == (
            "done",
            "",
            hashlib.sha256(file.read_bytes()).hexdigest(),
        )
        assert export.rows > 0 and export.size == file.stat().st_size and not export.is_cut
        if format_ == "parquet":
            assert duckdb.execute("SELECT count(*) FROM read_parquet(?)", [str(file)]).fetchall() == [(export.rows,)]
        if format_ == "json":
            assert [list(line) for line in json.loads(file.read_text())] == [export.columns] * export.rows
    assert list(broken_seals()) == []


def test_the_queue_is_exported_as_it_is_filtered_with_the_chosen_columns(run: Run, person: Person) -> None:
    by = person("Analyst")
    assert {it["key"] for it in lines(made(Wanted("queue", "csv"), by))} == {"'=1+2", "U"}
    passed = made(Wanted("queue", "csv", {"state": "passed"}, ["reason", "key"]), by)
    assert lines(passed) == [{"key": "B", "reason": "ROUNDING_DIFF"}]
    assert lines(made(Wanted("queue", "csv", {"state": "all", "key": "U"}, ["key"]), by)) == [{"key": "U"}]
    quarantined = made(Wanted("quarantined", "csv", {"source": "left"}, ["source", "raw"]), by)
    assert lines(quarantined) == [{"source": "left", "raw": "x,y"}]
    assert lines(made(Wanted("quarantined", "csv", {"state": "dismissed"}), by)) == []


def test_what_cannot_be_is_said(run: Run, person: Person) -> None:
    by = person("Analyst")
    for wanted, sentence in (
        (Wanted("nope", "csv"), "There is no export 'nope'"),
        (Wanted("queue", "doc"), "There is no format 'doc'; there is csv"),
        (Wanted("queue", "csv", {"stat": "x"}), "did you mean 'state'"),
        (Wanted("queue", "csv", {}, ["kye"]), "There is no column 'kye'; did you mean 'key'"),
        (Wanted("differences", "csv"), "Say which run."),
        (Wanted("differences", "csv", {"run": "999"}), "There is no run '999' that has ended"),
        (Wanted("stored", "csv", {"record_type": "nope"}), "There is no record type 'nope'"),
        (Wanted("stored", "csv", {"record_type": "trade", "version": "old"}), "there is all, current."),
        (Wanted("quarantined", "csv", {"state": "gone"}), "There is no state 'gone'"),
    ):
        with pytest.raises(BadExport, match=sentence):
            ask_export(wanted=wanted, by=by)
    assert not Export.objects.exists()


def test_the_same_twice_within_a_minute_is_one(run: Run, person: Person) -> None:
    by, other = person("Analyst"), person("Supervisor")
    wanted = Wanted("differences", "csv", {"run": str(run.pk)})
    first = made(wanted, by)
    assert ask_export(wanted=wanted, by=by) == first
    assert ask_export(wanted=wanted, by=other) != first
    assert ask_export(wanted=Wanted("differences", "json", {"run": str(run.pk)}), by=by) != first
    Export.objects.filter(pk=first.pk).update(asked_at=timezone.now() - dt.timedelta(seconds=61))
    assert ask_export(wanted=wanted, by=by) != first


def test_one_person_does_not_fill_the_queue(run: Run, person: Person) -> None:
    by = person("Analyst")
    for number in range(AT_ONCE):
        ask_export(wanted=Wanted("queue", "csv", {"key": str(number)}), by=by)
    with pytest.raises(ExportRefused, match="5 of your exports are under way"):
        ask_export(wanted=Wanted("queue", "csv", {"key": "more"}), by=by)
    ask_export(wanted=Wanted("queue", "csv", {"key": "more"}), by=person("Supervisor"))


def test_each_sees_their_own_lines_and_files(run: Run, trades: Reconciliation, person: Person) -> None:
    desk, other, auditor = person("Analyst"), person("Analyst", "other"), person("Auditor")
    trades.team = Team.objects.create(code="desk")
    trades.save()
    trades.team.members.add(desk)
    assert len(lines(made(Wanted("queue", "csv"), desk))) == 2
    assert lines(made(Wanted("queue", "csv"), other)) == []
    assert made(Wanted("stored", "csv", {"record_type": "trade"}), desk).rows == 2
    with pytest.raises(BadExport):
        ask_export(wanted=Wanted("differences", "csv", {"run": str(run.pk)}), by=other)
    assert len(lines(made(Wanted("queue", "csv"), auditor))) == 2
    with pytest.raises(ExportRefused, match=r"needs a role\. Ask an Administrator"):
        ask_export(wanted=Wanted("queue", "csv"), by=User.objects.create_user("nobody"))


def test_who_lost_the_right_meanwhile_gets_nothing(run: Run, trades: Reconciliation, person: Person) -> None:
    by = person("Analyst")
    asked = ask_export(wanted=Wanted("differences", "csv", {"run": str(run.pk)}), by=by)
    trades.team = Team.objects.create(code="desk")
    trades.save()
    carry_out(asked)
    asked.refresh_from_db()
    assert asked.state == "failed" and "that you may see" in asked.error and asked.path == ""


@pytest.mark.parametrize("what", KINDS)
def test_who_left_the_team_leaves_its_files(what: str, run: Run, trades: Reconciliation, person: Person) -> None:
    by = person("Manager")
    export = made(Wanted(what, "csv", filters_of(what, run)), by)
    assert take_file(export, by).exists()
    trades.team = Team.objects.create(code="elsewhere")
    trades.save()
    with pytest.raises(ExportGone, match="You may no longer see"):
        take_file(export, User.objects.get(pk=by.pk))
    assert take_file(export, person("Auditor")).exists()


def test_who_sees_more_by_now_keeps_the_files(run: Run, trades: Reconciliation, person: Person) -> None:
    by, desk = person("Analyst"), Team.objects.create(code="desk")
    desk.members.add(by)
    Reconciliation.objects.update(team=desk)
    export = made(Wanted("queue", "csv"), by)
    by.groups.add(Group.objects.get(name="Auditor"))
    assert take_file(export, User.objects.get(pk=by.pk)).exists()
    by.groups.clear()
    by.groups.add(Group.objects.get(name="Analyst"))
    Export.objects.update(seen=None)  # made before it was kept
    with pytest.raises(ExportGone, match="Ask for the export again"):
        take_file(Export.objects.get(), User.objects.get(pk=by.pk))


def test_more_lines_than_the_limit_are_cut_and_said(run: Run, person: Person, settings: fixtures.Settings) -> None:
    settings.EXPORT_ROWS = 1
    export = made(Wanted("queue", "csv"), person("Analyst"))
    assert (export.rows, export.is_cut, len(lines(export))) == (1, True, 1)
    settings.EXPORT_ROWS = 2
    export = made(Wanted("queue", "csv", {"state": "review"}), User.objects.get(username="analyst"))
    assert (export.rows, export.is_cut) == (2, False)


def test_an_export_of_a_killed_worker_is_made_anew(run: Run, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(lake.local("exports"), ignore_errors=True)  # of tests before
    asked = ask_export(wanted=Wanted("queue", "csv"), by=person("Analyst"))
    with monkeypatch.context() as patched:
        patched.setattr("review.exporting.finish", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            carry_out(asked)
    left = [it.name for it in lake.local("exports").iterdir()]
    assert left == [f"{asked.pk}-1.csv"] and silent(Export, timezone.now()) == [asked.pk]
    Export.objects.filter(pk=asked.pk).update(state="running", lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert silent(Export, timezone.now()) == [asked.pk]
    carry_out(asked)
    carry_out(asked)  # a message that comes twice
    asked.refresh_from_db()
    assert (asked.state, asked.path) == ("done", f"exports/{asked.pk}-{asked.fence}.csv")
    assert tidy(timezone.now() + dt.timedelta(days=2)) == [f"exports/{asked.pk}-1.csv"]
    assert lake.local(asked.path).exists()


def test_a_file_expires_and_its_line_stays(run: Run, person: Person) -> None:
    by = person("Analyst")
    export = made(Wanted("queue", "csv"), by)
    assert take_file(export, by).exists()
    assert forget_expired(timezone.now()) == 0
    later = timezone.now() + dt.timedelta(days=8)
    assert (forget_expired(later), forget_expired(later)) == (1, 0)
    export.refresh_from_db()
    assert not lake.local(export.path).exists() and export.removed_at == later and export.rows == 2
    with pytest.raises(ExportGone, match="expired"):
        take_file(export, by)
    told = AuditEvent.objects.filter(action__startswith="export.").order_by("pk").values_list("action", "actor_name")
    assert list(told) == [(f"export.{verb}", "analyst") for verb in ("asked", "made", "downloaded")]
    assert list(broken_seals()) == []


def test_a_file_that_was_changed_is_not_given(run: Run, person: Person) -> None:
    by = person("Analyst")
    export = made(Wanted("queue", "csv"), by)
    lake.local(export.path).write_text("other")
    with pytest.raises(ExportGone, match="no longer the one that was made"):
        take_file(export, by)


def test_the_page_asks_and_gives_the_file(run: Run, person: Person, client: Client) -> None:
    client.force_login(person("Analyst"))
    queue = client.get("/queue/?state=all&key=U").content.decode()
    assert "/exports/choose/?what=queue&amp;q=state%3Aall+key%3AU" in queue
    form = client.get("/exports/choose/?what=queue&state=all&key=U").content.decode()
    assert 'name="key" value="U"' in form and "At most 1,000,000 rows" in form
    asked = {"what": "queue", "format": "csv", "state": "all", "key": "U", "column": ["key", "reason"]}
    assert client.post("/exports/ask/", asked, follow=True).status_code == 200
    export = Export.objects.get()
    assert (export.filters, export.columns) == ({"state": "all", "key": "U"}, ["key", "reason"])
    assert "ready</span>" not in client.get("/exports/").content.decode()
    carry_out(export)
    page = client.get("/exports/", headers={"HX-Request": "true"}).content.decode()
    assert f"Export {export.pk} is ready" in page and "hx-get" not in page
    answer = client.get(f"/exports/{export.pk}/file/")
    body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert body.decode().splitlines() == ["key,reason", "U,UNKNOWN"]
    assert answer.headers["X-Content-SHA256"] == hashlib.sha256(body).hexdigest()
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="tieout_queue_')
    refused = client.post("/exports/ask/", asked | {"column": []})
    assert refused.status_code == 400 and "at least one column" in refused.content.decode()
    assert client.post("/exports/ask/", asked | {"key": "a\0b"}).status_code == 400
    for name, status in (("Supervisor", 404), ("Auditor", 200)):
        client.force_login(person(name))
        assert client.get(f"/exports/{export.pk}/file/").status_code == status


def test_the_api_asks_follows_and_gives_the_file(run: Run, person: Person, client: Client) -> None:
    client.force_login(person("Analyst"))

    def ask(**body: object) -> tuple[int, dict[str, object]]:
        headers = {"Idempotency-Key": str(body)}
        answer = client.post("/api/v1/exports", json.dumps(body), content_type="application/json", headers=headers)
        return answer.status_code, answer.json()

    status, told = ask(what="differences", filters={"run": str(run.pk)}, columns=["key", "reason"])
    assert (status, told["state"], told["columns"]) == (201, "ready", ["key", "reason"])
    url = f"/api/v1/exports/{told['id']}"
    assert client.get(f"{url}/file").status_code == 409
    carry_out(Export.objects.get())
    assert client.get(url).json()["rows"] == 3
    assert b"".join(client.get(f"{url}/file").streaming_content).startswith(b"key,reason\r\n")  # type: ignore[attr-defined]
    assert ask(what="differences")[0] == 400 and ask(what="queue", filters={"x": "y"})[0] == 400
    forget_expired(timezone.now() + dt.timedelta(days=8))
    assert client.get(f"{url}/file").status_code == 410
    assert [it["id"] for it in client.get("/api/v1/exports").json()["results"]] == [told["id"]]


def test_the_command_writes_where_it_is_told_and_is_recorded(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "d.csv"
    call_command("export", "differences", run="latest", to=target)
    export = Export.objects.get()
    assert (export.what, export.filters, export.rows, export.path) == ("differences", {"run": str(run.pk)}, 3, "")
    assert export.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    assert export.asked_by.get_username() == "command" and list(broken_seals()) == []
