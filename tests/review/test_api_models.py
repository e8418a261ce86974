"""The model registry by REST and in the admin: the same services, rights and sentences as on the pages."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from attribution.models import ChampionChange, Correction, ModelVersion, Training
from attribution.registry import champion_of
from attribution.trainer import train_asked
from reconciliation.models import Reconciliation, Team
from review.tokens import make_token
from tests.conftest import problems
from tests.review.test_models import model, trained  # noqa: F401 - fixtures
from tests.standing import lake_folder  # noqa: F401

Call = Callable[..., Any]


@pytest.fixture
def call(client: Client, person: Callable[..., User]) -> Call:
    """Ask the API as a Manager's token; a POST with a new Idempotency-Key."""
    manager, keys = person("Manager"), iter(range(100))

    def ask(
        address: str, given: Mapping[str, object] | None = None, *, scopes: str = "read run decide", key: str = ""
    ) -> Any:  # noqa: ANN401
        token = make_token(user=manager, name="t", scopes=scopes.split())
        headers = {"Authorization": f"Token {token}", "Idempotency-Key": key or f"k{next(keys)}"}
        url = f"/api/v1/{address}"
        if given is None:
            return client.get(url, headers=headers)
        return client.post(url, given, content_type="application/json", headers=headers)

    return ask


def test_models_are_listed_and_shown_with_the_rule(model: ModelVersion, call: Call) -> None:  # noqa: F811
    (listed,) = call("models?reconciliation=trades&state=candidate").json()["results"]
    assert (listed["version"], listed["state"], listed["trained_because"]) == (1, "candidate", "by hand")
    assert "metrics" not in listed
    assert call("models?state=champion").json()["results"] == []
    assert "there is candidate, champion, retired" in call("models?state=best").json()["detail"]
    shown = call(f"models/{model.pk}").json()
    assert shown["allowed"] and [it["code"] for it in shown["rule"]] == ["artifact", "comparison"]
    assert (shown["metrics"]["labels"], shown["certificates"], shown["changes"]) == (8, [], [])


def test_promoted_once_and_rolled_back(model: ModelVersion, trades: Reconciliation, call: Call) -> None:  # noqa: F811
    address, promote = f"models/{model.pk}/answers", {"action": "promote", "comment": "Looks good."}
    assert call(address, promote, scopes="read run").status_code == 403
    first, again = call(address, promote, key="same"), call(address, promote, key="same")
    assert (first.status_code, again.json(), ChampionChange.objects.count()) == (201, first.json(), 1)
    assert champion_of(trades) == model
    assert first.json()["changes"][0] | {"at": ""} == {
        "verb": "promote", "version": 1, "before": None, "by": "manager", "at": "", "allowed": True, "comment": "Looks good.",
    }  # fmt: skip
    refused = call(address, promote)
    assert (refused.status_code, refused.json()["detail"]) == (409, "trades model 1 is the champion already.")
    assert call(address, {"action": "roll_back"}).json()["state"] == "retired"
    assert "is not the champion" in call(address, {"action": "roll_back"}).json()["detail"]
    assert call(address, {"action": "praise"}).status_code == 400
    assert problems() == []


def test_a_training_is_asked_for_and_followed(model: ModelVersion, call: Call) -> None:  # noqa: F811
    assert call("trainings", {"reconciliation": "trades"}, scopes="read decide").status_code == 403
    asked = call("trainings", {"reconciliation": "trades"})
    assert (asked.status_code, asked.json()["state"], asked.json()["asked_by"]) == (201, "ready", "manager")
    busy = call("trainings", {"reconciliation": "trades"})
    assert (busy.status_code, "trades is being trained already" in busy.json()["detail"]) == (409, True)
    train_asked(Training.objects.get())
    done = call(f"trainings/{asked.json()['id']}").json()
    assert (done["state"], done["model"]) == ("done", ModelVersion.objects.get(version=2).pk)
    assert len(call("trainings?state=done&reconciliation=trades").json()["results"]) == 1
    assert call("trainings", {"reconciliation": "nothing"}).status_code == 404


def test_too_few_labels_are_a_conflict_with_a_sentence(trades: Reconciliation, call: Call) -> None:
    Correction.objects.all().delete()
    told = call("trainings", {"reconciliation": "trades"})
    assert (told.status_code, told.json()["detail"][:40]) == (409, "trades has no labels to learn from. Deci")


def test_the_admin_acts_through_the_same_services(
    model: ModelVersion,  # noqa: F811
    trades: Reconciliation,
    client: Client,
    staff: Callable[[str], User],  # noqa: F811
) -> None:
    door = reverse("admin:attribution_modelversion_changelist")

    def act(action: str, *chosen: int, comment: str = "") -> str:
        given = {"action": action, "_selected_action": chosen, "comment": comment}
        return client.post(door, given, follow=True).content.decode()

    staff("Manager")
    page = client.get(reverse("admin:attribution_modelversion_change", args=[model.pk])).content.decode()
    assert "holds: Its artifact is as it was written." in page
    assert "Trades model 1 speaks from the next run on." in act("promote_model", model.pk, comment="By the admin.")
    assert (champion_of(trades), ChampionChange.objects.get().comment) == (model, "By the admin.")
    assert "is the champion already" in act("promote_model", model.pk)
    assert "The provers alone: from the next run on." in act("roll_back_model", model.pk)
    assert "Trades is being trained." in act("train_again", model.pk)
    assert "is being trained already" in act("train_again", model.pk)
    for name in ("training", "championchange", "certificate"):
        assert client.get(reverse(f"admin:attribution_{name}_changelist")).status_code == 200
    staff("Auditor")
    act("promote_model", model.pk)
    assert champion_of(trades) is None
    assert problems() == []


def test_another_teams_models_are_not_there(
    model: ModelVersion,  # noqa: F811
    trades: Reconciliation,
    client: Client,
    person: Callable[..., User],  # noqa: F811
) -> None:

    Reconciliation.objects.update(team=Team.objects.create(code="others"))
    client.force_login(person("Manager", "other"))
    assert client.get(f"/api/v1/models/{model.pk}").status_code == 404
    assert client.post(reverse("train_model"), {"reconciliation": "trades"}).status_code == 404
