"""The models' pages: numbers for all, promotion for who may, and the way back."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from attribution.artifacts import keep_artifact
from attribution.champions import promote
from attribution.models import Certificate, GateStep, ModelVersion, Training
from attribution.registry import champion_of
from attribution.training import train_model
from reconciliation.models import Reconciliation, Run
from tests.attribution.test_learning import day_of, train_day
from tests.conftest import DAY, define_trades, problems
from tests.standing import lake_folder  # noqa: F401


@pytest.fixture(scope="module")
def trained(once: Callable[[Callable[[Path], ModelVersion]], ModelVersion]) -> ModelVersion:
    """A candidate from forty labels."""
    return once(lambda folder: train_day(define_trades(folder), folder))


@pytest.fixture
def model(trained: ModelVersion, db: None) -> ModelVersion:
    """The same, read anew."""
    return ModelVersion.objects.get(pk=trained.pk)


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
    assert "is not the champion, so it cannot be rolled back" in answer(client, model, "roll_back")
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


def test_a_certificate_says_for_which_reasons_it_speaks_and_from_where_on(
    model: ModelVersion, client: Client, person: Callable[..., User]
) -> None:
    now = timezone.now()
    Certificate.objects.create(
        model_version=model, bound="0.05", threshold="0.91", sample_size=100, errors=1, upper="0.047", delta="0.05", held_out=200,
        first_day=DAY, last_day=DAY, sample_sha256="0", made_at=now, valid_until=now + dt.timedelta(days=30),
        reasons={"NETTING": "0.9100000", "SYSTEM_CONVERSION": "0.9740000"},
    )  # fmt: skip
    client.force_login(person("Auditor"))
    page = client.get(reverse("model", args=[model.pk])).content.decode()
    assert "Speaks for NETTING, SYSTEM_CONVERSION from 97.4 % on</div>" in page


def test_the_gate_and_the_meter_stand_beside_the_models(
    model: ModelVersion,
    trades: Reconciliation,
    client: Client,
    person: Callable[..., User],
    reconcile: Callable[..., Run],
) -> None:
    client.force_login(person("Auditor"))
    addresses = [reverse("models"), reverse("model", args=[model.pk])]
    for page in (client.get(it).content.decode() for it in addresses):
        assert "at most 10 %" in page and "more reviews bring the certificate of 10 %." in page
    GateStep.objects.create(
        reconciliation=trades, number=1, kind="trip", broken="0.10", because="3 of 4 audited records had a cause that is not functional.",
        at=timezone.now(),
    )  # fmt: skip
    for page in (client.get(it).content.decode() for it in addresses):
        assert (
            "closed</span>" in page and "nothing passes without a person" in page and "3 of 4 audited records" in page
        )
    before, after = Run.objects.earliest("pk"), reconcile(*day_of(2, 10)[:2], DAY.replace(day=21))
    page = client.get(reverse("run", args=[before.pk])).content.decode()
    assert "at most 10 % may be wrong" in page and "closed, so no differing record passes" not in page
    page = client.get(reverse("run", args=[after.pk])).content.decode()
    assert "closed, so no differing record passes" in page and "3 of 4 audited records" in page


def queries(client: Client, url: str, **headers: str) -> int:
    """How often a page asks the database."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url, headers=headers).status_code == 200
    return len(captured)


def test_a_models_page_asks_no_more_for_more_models(
    model: ModelVersion, trades: Reconciliation, client: Client, person: Callable[..., User]
) -> None:
    client.force_login(person("Manager"))
    promote(model=model, by=person("Manager", "eve"))
    second = train_model(reconciliation=trades, by="ann")
    pages = [reverse("models"), reverse("model", args=[second.pk])]
    before = [queries(client, it) for it in pages]
    for number in range(3, 6):
        ModelVersion.objects.create(
            reconciliation=trades, version=number, labels=40, artifact_sha256=second.artifact_sha256, metrics=second.metrics,
            trained_at=timezone.now(), parent=model,
        )  # fmt: skip
    assert [queries(client, it) for it in pages] == before
    assert before[0] <= 12 and before[1] <= 16
    assert queries(client, pages[1], **{"HX-Request": "true", "HX-Target": "what-if"}) <= 8


def test_a_threshold_is_asked_for_by_address_and_by_htmx(
    model: ModelVersion, client: Client, person: Callable[..., User]
) -> None:
    client.force_login(person("Analyst"))
    address = reverse("model", args=[model.pk])

    def page(threshold: str, **headers: str) -> str:
        answer = client.get(address, {"threshold": threshold}, headers=headers)
        assert answer["Vary"].startswith("HX-Request")
        return answer.content.decode()

    whole, part = page("0.99"), page("0.99", **{"HX-Request": "true", "HX-Target": "what-if"})
    assert "<html" in whole and "<html" not in part and part.strip().startswith('<div id="what-if">')
    assert part.strip() in whole
    assert "At 0.99" in part and "Now, 0.9<" in part and "Rule of promotion" not in part
    other = page("0.99", **{"HX-Request": "true", "HX-Target": "elsewhere"})
    assert "<html" in other  # only the part is replaced by the part
    for odd in ("", "nan", "inf", "-1", "2", "0.9.9", "½", "1e400"):
        assert "At 0.9<" in page(odd)  # as if nothing had been asked
    assert "At 1.0" in page("1") or "At 0.999" in page("1")
