"""Values 52 to 60 the whole way: verbatim in the store, harmless on pages, in exports and logs; keys that meet are told."""

import csv
import logging
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.module_loading import import_string

from config.definitions.faults import BadDefinition
from config.pipeline import run_to_end
from reconciliation.models import Break, Reconciliation, Run
from reconciliation.runs import start_run
from review.exports import export
from tests.conftest import DAY, DEFINITION, HEADER, Deliver, problems, row

HOSTILE = (
    "=cmd|' /C calc'!A0", "\t=1", "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>{{ 7*7 }}",
    "'; DROP TABLE store.trade; --", "../../etc/passwd", "a\nb\u202e\U0001f600%s",
)  # fmt: skip
ACTIVE = ("<script>alert", "<img src=x")
TREE = """
record_types: {node: {fields: {name: {type: text, key: true}, parent: {type: reference, to: node}}}}
"""


def table(amount: str) -> str:
    """A file with a record of each hostile text, as its key and as a value."""
    made = StringIO()
    rows = [[text, "2026-11-20", text, "DE", amount, "EUR"] for text in HOSTILE]
    csv.writer(made, lineterminator="\n").writerows([HEADER.split(","), *rows])
    return made.getvalue()


def test_texts_are_texts_wherever_they_go(
    trades: Reconciliation, deliver: Deliver, client: Client, person: Callable[[str], User], tmp_path: Path
) -> None:
    deliver("left", table("10.00"))
    deliver("right", table("77.31"))
    run = run_to_end(start_run(reconciliation=trades, business_date=DAY))
    client.force_login(person("Supervisor"))
    for brk in Break.objects.all():
        pages = (
            (brk.get_absolute_url(), {}),
            (reverse("journey"), {"reconciliation": "trades", "key": brk.key}),
        )
        for address, asked in pages:
            page = client.get(address, asked)
            assert page.status_code == 200
            assert not any(part in page.content.decode() for part in ACTIVE)
        assert client.post(reverse("decide", args=[brk.pk]), {"action": "approve"}).status_code == 302
    assert set(Break.objects.values_list("key", "state")) == {(text, "approved") for text in HOSTILE}
    assert {it["party"] for it in _exported("store", run, tmp_path)} == {_safe(text) for text in HOSTILE}
    assert problems() == []


HUGE = ("1E999999", "1E9999999", "-1E9999999%", "1E-9999999", "0E9999999", "9" * 30, "9" * 400, "sNaN", "-Infinity")


def test_numbers_that_nobody_can_write_out_stop_no_run_and_no_page(
    define: Callable[[str], object],
    trades: Reconciliation,
    deliver: Deliver,
    client: Client,
    person: Callable[[str], User],
) -> None:
    """As amounts they are flagged, as texts they are texts; each is kept as it came."""
    define(DEFINITION.replace('between, min: "0", max: "1000"}]', "not_null}], max_auto_difference: 5"))
    lines = [f"K{n},2026-11-20,{it},DE,{it},EUR" for n, it in enumerate(HUGE)]
    others = [f"K{n},2026-11-20,{it},DE,{it},EUR" for n, it in enumerate([*HUGE[1:], "5.00"])]
    deliver("left", "\n".join([HEADER, *lines]) + "\n")
    deliver("right", "\n".join([HEADER, *others]) + "\n")
    run = run_to_end(start_run(reconciliation=trades, business_date=DAY))
    assert (run.state, Break.objects.filter(state="review").count()) == ("done", len(HUGE))
    client.force_login(person("Supervisor"))
    for address in [reverse("queue"), *(it.get_absolute_url() for it in Break.objects.all())]:
        page = client.get(address)
        assert page.status_code == 200 and len(page.content) < 200_000
    for pk in Break.objects.values_list("pk", flat=True):
        assert client.get(reverse("similar", args=[pk])).status_code == 200
    for mark in HUGE:
        assert client.get(reverse("queue"), {"order": "amount", "after": f"{mark}_7"}).status_code == 200
    assert problems() == []


TIMES = """
record_types: {seen: {fields: {id: {type: text, key: true}, at: {type: datetime}, note: {type: text}}}}
sources:
  first: {record_type: seen, mapping: &m {id: {column: id}, at: {column: at}, note: {column: note}}}
  second: {record_type: seen, mapping: *m}
reconciliations: {seen: {a: first, b: second}}
"""


def test_times_at_the_ends_of_the_calendar_are_stored_and_set(
    define: Callable[[str], object], deliver: Deliver, client: Client, person: Callable[[str], User]
) -> None:
    define(TIMES)
    deliver("first", "id,at,note\nA,0001-01-01T00:00:00Z,x\nB,0001-01-01T00:00:00Z,x\n")
    deliver("second", "id,at,note\nA,0001-01-01T00:00:00Z,x\nB,0001-01-01T00:00:00Z,y\n")
    run = run_to_end(start_run(reconciliation=Reconciliation.objects.get(code="seen"), business_date=DAY))
    assert run.report is not None and run.report["outcome"]["stored"] == 1 and problems() == []
    client.force_login(person("Manager"))
    decide = {"path": f"/api/v1/breaks/{Break.objects.get().pk}/decisions", "content_type": "application/json"}
    beyond = {"action": "override", "reason": "FX_VARIANCE", "values": {"at": "0001-01-01T00:00:00+14:00"}}
    answer = client.post(data=beyond, headers={"Idempotency-Key": "1"}, **decide)
    assert answer.status_code == 400 and "the years 1 to 9999" in answer.json()["detail"]
    within = {**beyond, "values": {"at": "0001-01-01T00:00:00.250-14:00"}}
    assert client.post(data=within, headers={"Idempotency-Key": "2"}, **decide).status_code == 201
    assert '"0001-01-01T14:00:00.25Z"' in client.get("/api/v1/store/seen").content.decode()
    assert problems() == []


def _exported(what: str, run: Run, folder: Path) -> list[dict[str, Any]]:
    export(what, run, folder / "out.csv")
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _safe(text: str) -> str:
    """As a spreadsheet takes it for a text."""
    return f"'{text}" if text.strip().startswith("=") else text


def test_a_log_has_one_line_an_event() -> None:
    given = dict(settings.LOGGING["formatters"]["line"])  # type: ignore[index]
    formatter = import_string(given.pop("()"))(given["format"])
    record = logging.makeLogRecord({"msg": "%s: taken", "args": ("a\r\n2026 ERROR forged\x1b[2J\u2028.csv",)})
    assert len(formatter.format(record).splitlines()) == 1
    assert r"a\x0d\x0a2026 ERROR forged\x1b[2J\x2028.csv: taken" in formatter.format(record)


def test_keys_that_meet_are_one_duplicate(
    define: Callable[[str], object], trades: Reconciliation, reconcile: Callable[..., Run]
) -> None:
    define(DEFINITION.replace("id: {column: id}", "id: {column: id, clean: [ends, upper]}"))
    same = row("SAME")
    left = [row("met"), row("MET "), row("TWO", "1.00"), row("TWO", "2.00"), same, same, same]
    run = reconcile(left, [row("MET"), row("TWO", "1.00"), same])
    assert run.report is not None
    assert run.report["records"] == {"matched": 0, "differing": 0, "missing_in_a": 0, "missing_in_b": 0, "duplicate": 3}
    assert run.report["sides"]["a"]["duplicates"] == 4
    assert {it.key: it.members.filter(side="a").count() for it in Break.objects.all()} == {
        "MET": 2,
        "TWO": 2,
        "SAME": 3,
    }
    assert problems() == []


def test_a_parent_of_its_own_kind_is_refused(define: Callable[[str], object]) -> None:
    with pytest.raises(BadDefinition, match="only one step of references is supported"):
        define(TREE)
