"""A prepared query gives the rows as they are now, for whoever asks, whatever it was first asked for."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.db import connection, connections
from django.db.models import Value
from django.test.utils import CaptureQueriesContext

from ingestion.models import Calendar, Holiday
from ingestion.prepared import PK, SMALL_PK, TEXT, TOO_LARGE, anybody_like, prepared

pytestmark = pytest.mark.django_db


def of_code(code: str) -> list[Calendar]:
    """Calendars by their code."""
    return prepared("a test's calendars", lambda: Calendar.objects.filter(code=TEXT), {TEXT: code})


def test_it_sees_what_changed_since() -> None:
    assert of_code("here") == []
    made = Calendar.objects.create(code="here", label="first")
    assert [it.label for it in of_code("here")] == ["first"]
    Calendar.objects.filter(pk=made.pk).update(label="second")
    assert [it.label for it in of_code("here")] == ["second"] and of_code("there") == []


def test_a_text_is_a_value_and_never_a_part_of_the_query() -> None:
    for odd in ("' OR true --", "%s", "%(x)s", "\\", TEXT):
        assert of_code(odd) == []


def test_it_asks_once_and_gives_nothing_for_an_id_that_no_row_can_have() -> None:
    def of(pk: int) -> list[Calendar]:
        return prepared("a test's calendar", lambda: Calendar.objects.filter(pk=PK), {PK: pk})

    made = Calendar.objects.create(code="one")
    with CaptureQueriesContext(connection) as asked:
        assert of(made.pk) == [made]
    assert len(asked) == 1 and of(TOO_LARGE) == of(made.pk + 1) == []


def kept_statements() -> list[str]:
    """What this session keeps of the test's own queries."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE statement LIKE %s", ["%label%of a test%"])
        return [it for (it,) in cursor.fetchall()]


def labelled(pk: int) -> list[Calendar]:
    """A calendar with a constant beside it, by its id; for each id a query of its own is written."""
    constant = Value("it's 5 %, label of a test")
    return prepared(("a test's label", pk), lambda: Calendar.objects.filter(pk=pk).annotate(told=constant))


def test_the_session_keeps_one_plan_for_all_who_ask_alike() -> None:
    here, there = (Calendar.objects.create(code=code) for code in ("here", "there"))
    for each in (here, there, here):
        assert [(it.pk, it.told) for it in labelled(each.pk)] == [(each.pk, "it's 5 %, label of a test")]  # type: ignore[attr-defined]
    assert len(kept_statements()) == 1


def test_nothing_is_kept_where_sessions_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Calendar.objects.create(code="here")
    monkeypatch.setattr(connection.connection, "prepare_threshold", None)
    connection.connection._prepared.clear()
    before = len(kept_statements())
    assert labelled(here.pk) == [here] and len(kept_statements()) == before


def test_days_are_values_too() -> None:
    made = Calendar.objects.create(code="here")
    for day in (dt.date(2026, 11, 20), dt.date(2026, 11, 21)):
        Holiday.objects.create(calendar=made, day=day)
        found = prepared(("a test's day", day), lambda day=day: Holiday.objects.filter(calendar=made, day=day))  # type: ignore[misc]
        assert [it.day for it in found] == [day]


@pytest.mark.django_db(transaction=True)
def test_each_thread_reads_by_its_own_connection() -> None:
    Calendar.objects.create(code="here")

    def read(_: int) -> int:
        try:
            return len(of_code("here"))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(read, range(12))) == {1}


def groups_of(user: User) -> list[Group]:
    """A user's groups, by a query that all who have the same rights share."""
    rights, anybody, given = anybody_like(user)
    return prepared(("a test's groups", rights), lambda: Group.objects.filter(user=anybody.pk).order_by("pk"), given)


def test_who_has_the_same_rights_shares_a_query_and_sees_their_own() -> None:
    ann, bob = (User.objects.create_user(name) for name in ("ann", "bob"))
    night, day = (Group.objects.create(name=name) for name in ("night", "day"))
    ann.groups.add(night)
    bob.groups.add(day)
    assert groups_of(ann) == [night] and groups_of(bob) == [day]
    assert anybody_like(ann)[:1] == anybody_like(bob)[:1] and ann.pk != SMALL_PK and ann.username == "ann"
    bob.groups.add(Group.objects.get(name="Analyst"))
    assert anybody_like(User.objects.get(pk=bob.pk))[0] != anybody_like(ann)[0]
    assert anybody_like(AnonymousUser())[0] is None
