"""The scope of breaks: taken from the rows that stand in them, kept under their seals, and moved with them."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from config.definitions.export import export_definition
from config.definitions.faults import BadDefinition
from ingestion.changes import Change
from ingestion.models import AuditEvent
from reconciliation.models import Break, Reconciliation, Run, Scope, ScopeValue, Team, TeamScope, access_of
from tests.conftest import DAY, DEFINITION, problems, row

Reconcile = Callable[..., Run]
SCOPE = "    scope: {field: party, teams: {acme: [Acme], beta: [Beta, ''], both: [Acme, Beta]}}\n"
SCOPED = DEFINITION.replace("    b: right\n", "    b: right\n" + SCOPE) + "teams: {acme: {}, beta: {}, both: {}}\n"


def values(key: str) -> list[str]:
    """The values of a break's scope."""
    scope = Break.objects.get(key=key).scope_id
    return list(ScopeValue.objects.filter(scope=scope).values_list("value", flat=True))


def seen(user: User) -> list[str]:
    """The keys of the breaks that a person sees."""
    return sorted(Break.objects.visible_to(user).values_list("key", flat=True))


@pytest.fixture
def desks(person: Callable[..., User], define: Callable[[str], list[Change]]) -> dict[str, User]:
    """A scope by party, and an analyst of each team."""
    define(SCOPED)
    people = {code: person("Analyst", code) for code in ("acme", "beta", "both")}
    for code, user in people.items():
        Team.objects.get(code=code).members.add(user)
    return people


def test_a_team_sees_the_breaks_of_its_values(
    reconcile: Reconcile, desks: dict[str, User], person: Callable[..., User]
) -> None:
    reconcile(
        [row("A", "5.00"), row("B", "5.00", party="Beta"), row("M"), row("D", "1.00"), row("D", "2.00", party="Beta")],
        [row("A", "9.00"), row("B", "9.00", party="Beta"), row("M", party="Beta"), row("X", party="Other")],
    )
    assert [values(key) for key in "ABMDX"] == [["Acme"], ["Beta"], ["Acme", "Beta"], ["Acme", "Beta"], ["Other"]]
    assert seen(desks["acme"]) == ["A", "D", "M"] and seen(desks["beta"]) == ["B", "D", "M"]
    assert seen(desks["both"]) == ["A", "B", "D", "M"]
    assert seen(person("Auditor")) == ["A", "B", "D", "M", "X"] and seen(person("Analyst", "outsider")) == []
    assert Scope.objects.count() == 4 and problems() == []


def test_a_break_moves_with_its_values(reconcile: Reconcile, desks: dict[str, User]) -> None:
    reconcile([row("A", "5.00")], [row("A", "9.00")])
    reconcile([row("A", "5.00", party="Beta")], [row("A", "9.00", party="Beta")], DAY.replace(day=21))
    assert values("A") == ["Beta"] and seen(desks["acme"]) == [] and seen(desks["beta"]) == ["A"]
    assert problems() == []


def test_whole_and_part(reconcile: Reconcile, desks: dict[str, User]) -> None:
    Reconciliation.objects.update(team=Team.objects.get(code="acme"))
    reconcile([row("A", "5.00"), row("B", party="Beta")], [row("A", "9.00")])
    assert seen(desks["acme"]) == ["A", "B"] and seen(desks["beta"]) == ["B"]
    assert list(Reconciliation.objects.visible_to(desks["beta"])) == []
    assert [it.is_whole for it in Reconciliation.objects.entered_by(desks["beta"])] == [False]


def test_without_a_scope_field_everything_is_as_before(reconcile: Reconcile, person: Callable[..., User]) -> None:
    reconcile([row("A", "5.00")], [row("A", "9.00")])
    assert Break.objects.get().scope_id is None and Scope.objects.count() == 0
    assert seen(person("Analyst")) == ["A"] and access_of(User.objects.create_user("nobody")).whole == ()


def test_breaks_that_are_there_get_their_scope(
    reconcile: Reconcile, define: Callable[[str], list[Change]], person: Callable[..., User]
) -> None:
    reconcile([row("A", "5.00"), row("B", party="Beta"), row("C", "1.00")], [row("A", "9.00"), row("C", "2.00")])
    Break.objects.filter(key="C").update(band="straight")  # by hand
    said = [str(it) for it in define(SCOPED)]
    assert said[-1] == "reconciliation trades: scope by party" and define(SCOPED) == []
    assert [values(key) for key in "ABC"] == [["Acme"], ["Beta"], ["Acme"]]
    assert problems() == [f"break {Break.objects.get(key='C').pk} was changed by hand."]
    define(DEFINITION)
    assert not Break.objects.exclude(scope=None).exists() and not TeamScope.objects.exists() and len(problems()) == 1


def test_a_definition_names_what_cannot_be(define: Callable[[str], list[Change]]) -> None:
    for wrong, says in (
        (
            "field: prty",
            "reconciliations.trades.scope.field: record type 'trade' has no field 'prty'; did you mean 'party'?",
        ),
        ("field: amount", "'amount' cannot be the scope: choose a field of type text"),
        ("field: party.country", "'party.country' cannot be the scope"),
        (
            "teams: {akme: [x]}, field: party",
            "reconciliations.trades.scope.teams.akme: there is no team 'akme'; did you mean 'acme'?",
        ),
        ("teams: {}", "reconciliations.trades.scope.field: a scope needs a field"),
    ):
        with pytest.raises(BadDefinition) as refused:
            define(SCOPED.replace(SCOPE, f"    scope: {{{wrong}}}\n"))
        assert says in str(refused.value)


def test_a_scope_is_exported_and_told(define: Callable[[str], list[Change]]) -> None:
    define(SCOPED)
    text = export_definition(Reconciliation.objects.get())
    assert "scope:\n      field: party\n      teams:\n        acme:\n        - Acme\n" in text and define(text) == []
    define(SCOPED.replace("acme: [Acme]", "acme: [Acme, Bolt]"))
    assert list(TeamScope.objects.filter(team__code="acme").values_list("value", flat=True)) == ["Acme", "Bolt"]
    assert AuditEvent.objects.filter(
        action="setup.changed", after__changes__contains=["reconciliation trades: scope by party"]
    )


def test_a_value_is_given_to_a_team_once(define: Callable[[str], list[Change]]) -> None:
    define(SCOPED)
    given = TeamScope.objects.first()
    assert given is not None
    with pytest.raises(IntegrityError, match="team_scope_once"), transaction.atomic():
        TeamScope.objects.create(reconciliation=given.reconciliation, team=given.team, value=given.value)
