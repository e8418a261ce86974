"""What the demo lays on the desk is laid there once, through the services, and is what its pages show."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from config import demo_desk
from config.definitions.apply import apply_definition
from config.tasks import normalize
from ingestion.models import Delivery, Normalization, Repair
from ingestion.uploads import all_staged
from reconciliation.models import Reconciliation, Run, Team
from review.assigning import assign
from review.models import Comment, Decision
from tests.conftest import problems, row

FOLDER = settings.BASE_DIR / "examples" / "fx_trades"


@pytest.fixture
def people(person: Callable[[str], User]) -> list[User]:
    """The demo's people."""
    return [person(role) for role in ("Analyst", "Supervisor", "Manager")]


def test_a_changed_file_and_a_waiting_one_are_there_once(people: list[User], client: Client) -> None:
    apply_definition((FOLDER / "definition.yaml").read_text(encoding="utf-8"), FOLDER, by="demo")
    for _ in range(2):
        assert list(demo_desk.lay_out(FOLDER))
    normalize(Normalization.objects.get().pk)
    assert Delivery.objects.count() == 1 and "trader" in Normalization.objects.get().error
    assert Team.objects.get().members.count() == len(people)
    (waiting,) = all_staged("analyst")
    client.force_login(people[0])
    tried = client.get(reverse("upload_preview", args=[waiting.token])).context["tried"]
    assert tried.counts["added"] > 900 and problems() == []


def test_people_propose_take_back_and_talk(
    people: list[User], reconcile: Callable[..., Run], trades: Reconciliation, monkeypatch: pytest.MonkeyPatch
) -> None:
    reconcile([row(key, "5.00") for key in "ABCD"] + ["x,y"], [row(key, "-5.00") for key in "ABCD"])
    for name in ("FOUR_EYES", "ALONE", "TRADES"):
        monkeypatch.setattr(demo_desk, name, trades.code)
    analyst, supervisor, _ = people
    demo_desk._take_back(supervisor)
    Reconciliation.objects.filter(pk=trades.pk).update(four_eyes=True)
    demo_desk._propose(analyst, supervisor)
    demo_desk._dismiss(analyst)
    assign(brk=trades.breaks.filter(state="review").latest("id"), to=analyst, by=supervisor)
    demo_desk._talk(analyst, supervisor)
    told = Decision.objects.order_by("id").values_list("confirmed_by__username", "undone_by__username")
    assert list(told) == [("supervisor", "supervisor"), ("supervisor", None), (None, None)]
    assert [it.mentions.get() for it in Comment.objects.all()] == [supervisor, analyst]
    assert Repair.objects.get().action == "dismiss"
