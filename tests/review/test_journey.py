"""A journey begins at the raw line, wherever it stands."""

import datetime as dt
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from attribution.models import AuditAnswer, Certificate, Draw, ModelVersion
from config.pipeline import run_to_end
from ingestion.changes import Change
from ingestion.models import Normalization
from reconciliation.models import Break, Reconciliation, Run
from reconciliation.runs import start_run
from review import standings
from review.decisions import confirm, decide
from review.journey import Journey, find_journey, journey
from review.journey_events import Event
from tests.conftest import DAY, DEFINITION, HEADER, row
from tests.standing import standing_trades  # noqa: F401


def test_the_raw_line_of_a_packed_file_is_shown(
    trades: Reconciliation, deliver: Callable[..., Normalization], tmp_path: Path
) -> None:
    packed = tmp_path / "left.csv.gz"
    packed.write_bytes(gzip.compress("\n".join([HEADER, row("A"), row("B", "5.00")]).encode()))
    deliver("left", packed)
    deliver("right", "\n".join([HEADER, row("B", "-5.00"), row("A")]) + "\n")
    run_to_end(start_run(reconciliation=trades, business_date=DAY, by="test"))
    events = journey(trades, "B").events
    received = {event.title: event.lines for event in events if event.glyph == "file"}
    assert received == {
        "A: line 3 received from Left": (row("B", "5.00"),),
        "B: line 2 received from Right": (row("B", "-5.00"),),
    }
    assert [event.title for event in events if event.what == "stood"] == [
        "Row from A stands in a break in run " + str(trades.runs.get().pk),
        "Row from B stands in a break in run " + str(trades.runs.get().pk),
    ]


def test_of_a_run_in_ranges_only_the_file_with_the_keys_bucket_is_read(
    reconcile: Callable[..., Run], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RANGE_PAIRS = 2
    keys = [f"K{n}" for n in range(12)]
    run = reconcile([row(it) for it in keys], [row(it) for it in keys])
    read: list[list[str]] = []
    outcomes = standings._outcomes

    def noted(paths: list[str], key: str) -> list[tuple[str, str, int, int, str]]:
        read.append(paths)
        return outcomes(paths, key)

    monkeypatch.setattr(standings, "_outcomes", noted)
    for key in keys:
        assert {it.side for it in standings.standings([run.reconciliation], key)} == {"a", "b"}
    assert [len(paths) for paths in read] == [1] * len(keys) and len({paths[0] for paths in read}) > 1


def test_a_key_is_found_in_the_reconciliation_that_knows_it(
    trades: Reconciliation,
    define: Callable[[str], list[Change]],
    deliver: Callable[..., Normalization],
    reconcile: Callable[..., Run],
) -> None:
    reconcile([row("A")], [row("A")])
    define(DEFINITION + "  backwards: {a: right, b: left}\n")
    backwards, next_day = Reconciliation.objects.get(code="backwards"), DAY + dt.timedelta(days=1)
    for source in ("left", "right"):
        deliver(source, "\n".join([HEADER, row("Z")]) + "\n", next_day)
    run_to_end(start_run(reconciliation=backwards, business_date=next_day, by="test"))
    for key, owner in (("A", trades), ("Z", backwards)):
        found, told = find_journey([trades, backwards], key)
        assert found == owner and "Stored as version 1" in {event.title for event in told.events}
    assert find_journey([trades, backwards], "nobody's")[0] is None


def one(told: Journey, what: str) -> Event:
    """The only event of a kind."""
    (found,) = [event for event in told.events if event.what == what]
    return found


def cells(event: Event) -> dict[str, tuple[str | None, str | None]]:
    """What an event says of before and after."""
    return {it.name: (it.before, it.after) for it in event.changes}


def test_every_step_shows_its_values_its_hash_and_has_a_name(
    trades: Reconciliation, reconcile: Callable[..., Run], person: Callable[..., User]
) -> None:
    reconcile([row("B", "05.50")], [row("B", "7.25")])
    trades.four_eyes = True
    trades.save()
    brk = Break.objects.get()
    proposal = decide(
        brk=brk,
        action="override",
        by=person("Analyst"),
        reason="FX_VARIANCE",
        values={"amount": "6.00"},
        comment="by letter",
    )
    confirm(decision=proposal, by=person("Supervisor"))
    told = journey(trades, "B")
    assert cells(one(told, "opened")) == {"amount": ("5.50", "7.25")}
    assert [(it.who, it.title, it.detail) for it in told.events if it.what in ("proposed", "decided")] == [
        ("analyst", "Override proposed as FX_VARIANCE", "by letter"),
        ("supervisor", "Overridden as FX_VARIANCE", "Confirmed as second person."),
    ]
    assert cells(one(told, "decided")) == {"amount": (None, "6.00")}
    came = next(event for event in told.events if event.what == "received" and event.side == "A")
    assert came.hash == brk.members.get(side="A".lower()).delivery.sha256 and came.hash_of == "sha256 of the delivery"
    assert one(told, "stored").hash_of == "record hash" and len(one(told, "stored").hash) == 32
    normalized = next(event for event in told.events if event.what == "normalized" and event.side == "A")
    assert cells(normalized)["amount"] == ("05.50", "5.50")
    names = [event.name for event in told.events]
    assert len(set(names)) == len(names) and f"decided-{proposal.pk}" in names
    assert (told.state, told.tone) == ("Stored, version 1", "ok")


def test_a_delivery_that_comes_again_says_what_it_replaces(
    trades: Reconciliation, reconcile: Callable[..., Run], deliver: Callable[..., Normalization]
) -> None:
    first = reconcile([row("B", "5.00")], [row("B", "77.00")])
    reconcile([row("B", "6.00")], None)
    told = journey(trades, "B")
    again = next(event for event in told.events if "received again" in event.title)
    left = first.inputs.get(side="a").normalization.delivery_id
    assert again.detail.endswith(f"It replaces record 1 of delivery {left}")
    assert cells(again) == {"amount": ("5.00", "6.00")}
    assert cells(one(told, "differed")) == {"amount": ("6.00", "77.00")}


def test_a_new_version_shows_what_it_changed(trades: Reconciliation, reconcile: Callable[..., Run]) -> None:
    reconcile([row("A", "5.00")], [row("A", "5.00")])
    reconcile([row("A", "6.00")], [row("A", "6.00")], DAY + dt.timedelta(days=1))
    first, second = (event for event in journey(trades, "A").events if event.what == "stored")
    assert (cells(first), cells(second)) == ({}, {"amount": ("5.00", "6.00")})


def test_what_let_a_record_pass_is_named_and_an_audit_once_it_is_answered(
    trades: Reconciliation, reconcile: Callable[..., Run], person: Callable[..., User]
) -> None:
    run = reconcile([row("B", "10.25")], [row("B", "10.00")])
    now = timezone.now()
    model = ModelVersion.objects.create(reconciliation=trades, version=3, labels=1, artifact_sha256="0", trained_at=now)
    certificate = Certificate.objects.create(
        model_version=model, bound="0.05", threshold="0.8", sample_size=100, errors=1, upper="0.047", delta="0.05", held_out=200,
        first_day=DAY, last_day=DAY, sample_sha256="0", made_at=now, valid_until=now + dt.timedelta(days=30),
    )  # fmt: skip
    Run.objects.filter(pk=run.pk).update(model_version="3", certificate=certificate.pk)
    passed = one(journey(trades, "B"), "passed")
    assert passed.who == f"run {run.pk}, rule set 1, model 3"
    assert passed.detail.startswith(
        f"Certificate {certificate.pk}: trades model 3: from 80.0 % on at most 4.7 % are wrong (1 of 100)"
    )
    Draw.objects.update(probability="0.05")  # a run draws at least some
    draw = Draw.objects.get()
    waits = AuditAnswer.objects.create(
        draw=draw, number=1, functional=False, counts=False, answered_by=person("Analyst"), answered_at=now
    )
    assert not [
        event for event in journey(trades, "B").events if event.what == "audited"
    ]  # who answers next must not know
    AuditAnswer.objects.create(
        draw=draw,
        number=2,
        functional=False,
        counts=True,
        answered_by=person("Supervisor"),
        answered_at=now,
        comment="a typing error",
    )
    answers = [event for event in journey(trades, "B").events if event.what == "audited"]
    assert [event.title for event in answers] == ["Blind audit: the pass was wrong"] * 2
    assert answers[0].about == str(waits.pk) and answers[1].detail.endswith("probability 0.05. a typing error")


def test_the_page_shows_the_steps_in_either_order(
    reconcile: Callable[..., Run], client: Client, person: Callable[..., User]
) -> None:
    reconcile([row("B", "10.25")], [row("B", "10.00")])
    client.force_login(person("Analyst"))
    page = client.get("/journey/?key=B").content.decode()
    assert "Newest first" in page and 'id="stored-1"' in page and "Export signed JSON" in page
    assert page.index('id="stored-1"') > page.index('id="received-')
    turned = client.get("/journey/?key=B&order=newest").content.decode()
    assert turned.index('id="stored-1"') < turned.index('id="received-')
