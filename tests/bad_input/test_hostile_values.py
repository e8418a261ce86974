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
