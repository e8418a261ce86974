"""The models' pages: numbers for all, promotion for who may, and the way back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from attribution.artifacts import keep_artifact
from attribution.models import ModelVersion, Training
from attribution.registry import champion_of
from attribution.training import train_model
from reconciliation.models import Reconciliation, Run
from tests.attribution.test_learning import day_of, labels, told  # noqa: F401 - a fixture
from tests.conftest import problems


@pytest.fixture
def model(reconcile: Callable[..., Run], trades: Reconciliation, labels: Callable[..., Path]) -> ModelVersion:  # noqa: F811
    """A candidate from forty labels."""
    left, right, truth = day_of(1, 40)
    reconcile(left, right)
    told("import_corrections", str(labels(truth)))
    return train_model(reconciliation=trades, by="ann")


def answer(client: Client, model: ModelVersion, action: str, comment: str = "") -> str:
    """Post a form of a model's page; gives the page that follows."""
    said = {"action": action, "comment": comment}
    return client.post(reverse("answer_model", args=[model.pk]), said, follow=True).content.decode()


def test_a_manager_promotes_and_rolls_back(
    model: ModelVersion, trades: Reconciliation, client: Client, person: Callable[..., User]
) -> None:
    client.force_login(person("Manager"))
    assert f'href="{reverse("model", args=[model.pk])}"' in client.get(reverse("models")).content.decode()
    page = client.get(reverse("model", args=[model.pk])).content.decode()
    assert "ACCRUAL_DIFF" in page and "Provers alone" in page and 'value="promote"' in page
    assert "trades model 1 speaks from the next run on." in answer(client, model, "promote")
    assert "is the champion already" in answer(client, model, "promote")
    assert champion_of(trades) == model
    assert "The provers speak alone from the next run on." in answer(client, model, "roll_back")
    assert "is not the champion any more" in answer(client, model, "roll_back")
    model.refresh_from_db()
    assert (model.state, model.promoted_by) == ("retired", "manager")
    assert problems() == []


def test_who_may_not_promote_sees_the_numbers_alone(
    model: ModelVersion, client: Client, person: Callable[..., User]
) -> None:
    client.force_login(person("Analyst"))
    assert '<form class="end"' not in client.get(reverse("model", args=[model.pk])).content.decode()
    assert client.post(reverse("answer_model", args=[model.pk]), {"action": "promote"}).status_code == 403


def test_a_manager_trains_by_a_button(model: ModelVersion, client: Client, person: Callable[..., User]) -> None:
    client.force_login(person("Manager"))
    assert reverse("train_model") in client.get(reverse("models")).content.decode()

    def train() -> str:
        return client.post(reverse("train_model"), {"reconciliation": "trades"}, follow=True).content.decode()

    assert "trades is being trained. The candidate appears here." in train()
    assert "is being trained already (by hand, asked for by manager" in train()
    Training.objects.update(state="failed", error="No labels.")
    assert "No labels." in client.get(reverse("models")).content.decode()
    client.force_login(person("Analyst"))
    assert reverse("train_model") not in client.get(reverse("models")).content.decode()
    assert client.post(reverse("train_model"), {"reconciliation": "trades"}).status_code == 403


def test_the_rule_stands_on_the_page(model: ModelVersion, client: Client, person: Callable[..., User]) -> None:
    client.force_login(person("Manager"))
    page = client.get(reverse("model", args=[model.pk])).content.decode()
    assert "The rule of promotion" in page and "There is no champion to compare it with." in page
    answer(client, model, "promote", "First of its kind.")
    page = client.get(reverse("model", args=[model.pk])).content.decode()
    assert (
        "promoted in the place of the provers" in page
        and "First of its kind." in page
        and "It is the champion." in page
    )


def test_rolling_back_brings_back_what_was_replaced(
    model: ModelVersion, trades: Reconciliation, client: Client, person: Callable[..., User]
) -> None:
    second = train_model(reconciliation=trades, by="ann")
    client.force_login(person("Manager"))
    answer(client, model, "promote")
    assert "say why in a comment" in answer(client, second, "promote")  # it was compared with no champion
    assert champion_of(trades) == model
    answer(client, second, "promote", "The desk saw its numbers.")
    assert champion_of(trades) == second
    answer(client, second, "roll_back")
    assert champion_of(trades) == model
    ModelVersion.objects.filter(pk=second.pk).update(artifact_sha256=keep_artifact(b"no model"))
    assert "cannot be read. It is no trained model." in answer(client, second, "promote").replace("&#x27;", "'")
    assert champion_of(trades) == model
