"""Saved views and the look of the queue: saved, opened, renamed, deleted, by whom, and what is refused beside which field."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ingestion.models import AuditEvent
from reconciliation.models import Run, Team
from review.models import SavedView
from review.saved_views import MOST, ViewRefused, change_view, choose_look, delete_view, save_view, visible_views
from tests.conftest import row

Person = Callable[..., User]


@pytest.fixture
def ann(person: Person) -> User:
    """An analyst of the desk."""
    user = person("Analyst", "ann")
    desk, _ = Team.objects.get_or_create(code="desk", defaults={"label": "The desk"})
    desk.members.add(user)
    return user


def test_a_view_is_saved_opened_changed_and_deleted(ann: User, reconcile: Callable[..., Run], client: Client) -> None:
    reconcile(
        [row("A", "5.00"), row("B", "700.00"), row("C", "17.31")],
        [row("A", "-5.00"), row("B", "-700.00"), row("C", "91.77")],
    )
    client.force_login(ann)
    saved = client.post(
        reverse("queue_views"),
        {"name": " Large  flips ", "q": "amount>6 reason:sign_flip", "order": "amount", "column": ["age", "reason"]},
    )
    view = SavedView.objects.get()
    assert (view.name, view.query, view.columns) == ("Large flips", "amount>6 reason:SIGN_FLIP", ["reason", "age"])
    page = client.get(saved.headers["Location"])
    assert [it.brk.key for it in page.context["rows"]] == ["B"] and page.context["columns"] == ("reason", "age")
    assert 'aria-current="true">\n    <span class="cut">Large flips' in page.content.decode()
    assert "c-amount" not in page.content.decode()
    client.post(reverse("change_view", args=[view.pk]), {"name": "Flips", "query": "reason:SIGN_FLIP", "order": ""})
    view.refresh_from_db()
    assert (view.name, view.query, view.order, view.columns) == ("Flips", "reason:SIGN_FLIP", "", ["reason", "age"])
    assert client.post(reverse("delete_view", args=[view.pk])).status_code == 302 and not SavedView.objects.exists()
    told = AuditEvent.objects.filter(action__startswith="view.").order_by("pk").values_list("action", flat=True)
    assert list(told) == ["view.saved", "view.changed", "view.deleted"]


def test_the_queue_opens_with_the_view_that_a_person_chose(ann: User, trades: object, client: Client) -> None:
    client.force_login(ann)
    assert client.get(reverse("queue")).status_code == 200
    client.post(reverse("queue_views"), {"name": "Mine", "q": "assigned:me", "first": "1"})
    view = SavedView.objects.get()
    assert client.get(reverse("queue")).headers["Location"] == f"/queue/?q=assigned%3Ame&view={view.pk}"
    assert client.get(reverse("queue"), {"q": ""}).context["typed"] == ""
    client.post(reverse("choose_look"), {"view": "0"})
    assert client.get(reverse("queue")).status_code == 200
    choose_look(by=ann, opens_with=view.pk)
    delete_view(view=view, by=ann)
    assert client.get(reverse("queue")).status_code == 200


def test_columns_are_remembered_for_a_person(ann: User, reconcile: Callable[..., Run], client: Client) -> None:
    reconcile([row("A", "5.00")], [row("A", "-5.00")])
    client.force_login(ann)
    back = "q=reason%3ASIGN_FLIP&order=newest"
    answer = client.post(reverse("choose_look"), {"back": back, "columns": "1", "column": ["run", "amount"]})
    assert answer.headers["Location"] == f"/queue/?{back}"
    page = client.get(reverse("queue"))
    text = page.content.decode()
    assert page.context["columns"] == ("amount", "run") and 'class="queue no-reason"' in text and "c-conf" not in text
    refused = client.post(reverse("choose_look"), {"columns": "1", "column": "colour"}, follow=True)
    assert "There is no column &#x27;colour&#x27;" in refused.content.decode()
    client.post(reverse("choose_look"), {"columns": "1"})
    assert client.get(reverse("queue")).context["columns"] == ("reason", "amount", "confidence", "age")


@pytest.mark.parametrize(
    ("given", "field", "sentence"),
    [
        ({"name": " "}, "name", "Give the view a name."),
        ({"name": "x" * 61}, "name", "A name has at most 60 characters; this one has 61."),
        ({"name": "a\0b"}, "name", "NUL"),
        ({"name": "mine"}, "name", "You have a view 'mine' already."),
        ({"name": "n", "query": "colour:red"}, "query", "There is no word 'colour'."),
        ({"name": "n", "order": "size"}, "order", "There is no order 'size'"),
        ({"name": "n", "columns": ["colour"]}, "columns", "There is no column 'colour'"),
        ({"name": "n", "team": "other"}, "team", "You are in no team 'other'; there is desk."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_its_field(given: dict[str, object], field: str, sentence: str, ann: User) -> None:
    save_view(by=ann, name="Mine")
    with pytest.raises(ViewRefused, match="(?s).") as refused:
        save_view(by=ann, **given)  # type: ignore[arg-type]
    assert refused.value.field == field and sentence in str(refused.value)


def test_a_refused_view_keeps_what_was_typed(ann: User, client: Client) -> None:
    client.force_login(ann)
    page = client.post(reverse("queue_views"), {"name": "Red", "q": "colour:red"})
    text = page.content.decode()
    assert page.status_code == 400 and 'value="Red"' in text and 'value="colour:red"' in text
    assert text.index('name="q"') < text.index("There is no word &#x27;colour&#x27;") < text.index('name="order"')
    view = save_view(by=ann, name="Mine", query="assigned:me")
    page = client.post(reverse("change_view", args=[view.pk]), {"name": "", "query": "assigned:me"})
    assert page.status_code == 400 and "Give the view a name." in page.content.decode()


def test_a_team_opens_its_views_and_its_leads_change_them(ann: User, person: Person, client: Client) -> None:
    shared = save_view(by=ann, name="Overdue", query="due:overdue", team="desk")
    own = save_view(by=ann, name="Overdue")
    ben, cleo, dan = person("Analyst", "ben"), person("Supervisor", "cleo"), person("Supervisor", "dan")
    for it in (ben, cleo):
        it.teams.add(shared.team)
    assert set(visible_views(ben)) == {shared} and set(visible_views(ann)) == {shared, own} and not visible_views(dan)
    with pytest.raises(ViewRefused, match="changed by who saved it, a Supervisor or a Manager"):
        change_view(view=shared, by=ben, name="Mine")
    with pytest.raises(ViewRefused, match="The desk has a view 'overdue' already"):
        save_view(by=ben, name="overdue", team="desk")
    assert change_view(view=shared, by=cleo, name="Late").name == "Late"
    for who, status in ((dan, 404), (ben, 400)):
        client.force_login(who)
        assert client.post(reverse("delete_view", args=[shared.pk])).status_code == status
    client.force_login(ben)
    assert client.get(reverse("queue"), {"view": own.pk}).context["opened"] is None
    assert "Late" in client.get(reverse("queue"), {"q": ""}).content.decode()
    with pytest.raises(ViewRefused, match="not there any more"):
        choose_look(by=dan, opens_with=shared.pk)
    with pytest.raises(ViewRefused, match="A team's views are saved by"):
        auditor = person("Auditor")
        auditor.teams.add(shared.team)
        save_view(by=auditor, name="Seen", team="desk")


def test_one_person_does_not_fill_the_list(ann: User) -> None:
    SavedView.objects.bulk_create(SavedView(owner=ann, name=f"V{n}", saved_at=timezone.now()) for n in range(MOST))
    with pytest.raises(ViewRefused, match="Delete one first"):
        save_view(by=ann, name="More")


def test_the_database_keeps_names_whole_and_once(ann: User) -> None:
    save_view(by=ann, name="Mine")
    for name in ("MINE", "", " x"):
        with pytest.raises(IntegrityError), transaction.atomic():
            SavedView.objects.create(owner=ann, name=name, saved_at=timezone.now())
