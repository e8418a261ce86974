"""Due times through the doors: in the definition, on a break, in the order of the queue, in its facet, and as a countdown."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.definitions.export import export_definition
from config.definitions.faults import BadDefinition
from ingestion import custody
from ingestion.changes import Change
from reconciliation.models import Break, Reconciliation, Run
from review.decisions import decide
from review.due import DUE, countdown
from tests.conftest import DAY, DEFINITION, problems, row
from tests.review.test_assigning import break_of

SLA = (
    '    sla: [{kind: missing_in_b, hours: 40}, {over: {EUR: "100"}, hours: 4}, {kind: differing, business_days: 3}]\n'
)
LEFT = [row("BIG", "500.00"), row("SMALL", "10.00"), row("ONLY"), row("TWICE"), row("TWICE"), row("PASS", "10.25")]
RIGHT = [row("BIG", "-500.00"), row("SMALL", "-10.00"), row("PASS", "10.00")]


@pytest.fixture
def sla(trades: Reconciliation) -> Reconciliation:
    """The reconciliation, with due times."""
    trades.rules = {
        **trades.rules,
        "sla": [
            {"kind": "missing_in_b", "hours": 40},
            {"over": {"EUR": "100"}, "hours": 4},
            {"kind": "differing", "business_days": 1},
        ],
    }
    trades.save()
    custody.seal([trades])
    return trades


def test_a_definition_sets_due_times_and_exports_them(define: Callable[[str], list[Change]]) -> None:
    define(DEFINITION + SLA)
    exported = export_definition(Reconciliation.objects.get())
    assert "business_days: 3" in exported and "kind: missing_in_b" in exported
    assert define(exported) == []
    define(DEFINITION + "    sla: {hours: 8}\n")
    assert Reconciliation.objects.get().rules["sla"] == [{"hours": 8}]
    define(DEFINITION)
    assert "sla" not in Reconciliation.objects.get().rules


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("{}", "sla[0]: a rule gives either hours or business_days"),
        ("{hours: 1, business_days: 1}", "sla[0]: a rule gives either hours or business_days"),
        ("{hours: 0}", "sla[0].hours: it is a whole number from 1 to 1,000"),
        ('{business_days: "2"}', "sla[0].business_days: it is a whole number from 1 to 60"),
        ("{hours: 1, kind: late}", "sla[0].kind: it is one of differing"),
        ("{hours: 1, over: many}", "sla[0].over: it is an amount"),
        ("{hours: 1, above: 5}", "sla[0].above: there is no key 'above' here"),
        ("soon", "sla[0]: this must be a mapping"),
    ],
)
def test_a_wrong_due_time_is_named(define: Callable[[str], list[Change]], rule: str, sentence: str) -> None:
    with pytest.raises(BadDefinition) as error:
        define(DEFINITION + f"    sla: {rule}\n")
    assert sentence in str(error.value)


def test_breaks_are_due_as_the_rules_say_and_come_in_that_order(
    sla: Reconciliation, reconcile: Callable[..., Run], client: Client, person: Callable[..., User]
) -> None:
    began = timezone.now()
    reconcile(LEFT, RIGHT)
    due = {brk.key: brk.due_at for brk in Break.objects.all()}
    assert due["TWICE"] is None and due["PASS"] is None
    assert all(at is None or at > began for at in due.values())
    client.force_login(person("Supervisor"))
    keys = [it.brk.key for it in client.get(reverse("queue")).context["rows"]]
    assert keys == sorted(keys, key=lambda key: due[key] or began + dt.timedelta(days=5)) and keys[0] == "BIG"
    assert problems() == []


def test_a_due_time_stays_until_the_break_is_decided(
    sla: Reconciliation, reconcile: Callable[..., Run], person: Callable[..., User]
) -> None:
    reconcile(LEFT, RIGHT)
    first = {key: break_of(key).due_at for key in ("BIG", "SMALL")}
    decide(brk=break_of("SMALL"), action="reject", by=person("Supervisor"))
    reconcile([row("SMALL")], [row("BIG", "-501.00"), row("SMALL", "-11.00")], DAY + dt.timedelta(days=1))
    assert break_of("BIG").due_at == first["BIG"]
    assert break_of("SMALL").state == "review" and break_of("SMALL").due_at > first["SMALL"]  # type: ignore[operator]


def test_a_record_that_waits_is_due_only_when_it_is_shown(sla: Reconciliation, reconcile: Callable[..., Run]) -> None:
    reconcile([row("ONLY")], [])
    plain = break_of("ONLY").due_at
    sla.rules = {**sla.rules, "match": {"wait": 5}}
    sla.save()
    reconcile([row("LATER")], [], timezone.now().date())
    assert break_of("LATER").band == "waiting"
    assert break_of("LATER").due_at - plain >= dt.timedelta(days=5)  # type: ignore[operator]


def test_the_facet_and_the_api_count_what_is_due(
    sla: Reconciliation, reconcile: Callable[..., Run], client: Client, person: Callable[..., User]
) -> None:
    reconcile(LEFT, RIGHT)
    now = timezone.now()
    midnight = dt.datetime.combine(now.date() + dt.timedelta(days=1), dt.time(), dt.UTC)
    for key, at in {
        "BIG": now - dt.timedelta(hours=5),
        "SMALL": midnight - dt.timedelta(microseconds=1),
        "ONLY": midnight,
    }.items():
        Break.objects.filter(key=key).update(due_at=at)
    client.force_login(person("Supervisor"))
    page = client.get(reverse("queue"))
    facet = next(it for it in page.context["facets"] if it["name"] == "due")
    assert {it["value"]: it["count"] for it in facet["options"]} == dict.fromkeys(DUE, 1)
    for word, key in {"overdue": "BIG", "today": "SMALL", "later": "ONLY", "none": "TWICE"}.items():
        assert [it.brk.key for it in client.get(reverse("queue"), {"due": word}).context["rows"]] == [key]
        assert [it["key"] for it in client.get(f"/api/v1/breaks/?due={word}&state=review").json()["results"]] == [key]
    assert client.get(reverse("queue"), {"due": "soon"}).context["rows"] == []
    assert client.get("/api/v1/breaks/?due=soon").status_code == 400
    assert "overdue 5 h" in page.content.decode()
    assert "Overdue 5 h" in client.get(break_of("BIG").get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("minutes", "told"),
    [(0.5, "due in 1 min"), (59, "due in 59 min"), (61, "due in 1 h"), (47 * 60 + 59, "due in 47 h"), (48 * 60, "due in 2 days"),
     (-0.1, "overdue 1 min"), (-90, "overdue 1 h"), (-5000, "overdue 3 days")],
)  # fmt: skip
def test_how_far_a_due_time_is_away(minutes: float, told: str) -> None:
    now = timezone.now()
    assert countdown(now + dt.timedelta(minutes=minutes), now) == told
