"""A prepared query gives the rows as they are now, for whoever asks, whatever it was first asked for."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from ingestion.models import Calendar
from ingestion.prepared import PK, TEXT, TOO_LARGE, prepared, who

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


def test_whoever_gains_a_right_is_somebody_else() -> None:
    user = User.objects.create_user("ann")
    before = who(user)
    user.groups.add(Group.objects.get(name="Analyst"))
    assert who(User.objects.get(pk=user.pk)) != before and who(AnonymousUser()) is None
