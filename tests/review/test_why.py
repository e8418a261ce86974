"""Why a model named a reason: on the break's page on demand, on a page of its own, and by REST."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from attribution import artifacts
from attribution.models import Attribution
from attribution.why import why
from reconciliation.models import Break, Run
from review.decisions import decide
from review.tokens import make_token
from tests.attribution.test_learning import learn_day, run_day, told
from tests.conftest import define_trades
from tests.standing import lake_folder  # noqa: F401


def speak(folder: Path) -> Run:
    """A run of which a model spoke."""
    trades = learn_day(define_trades(folder), folder)
    told("train", "trades", promote=True)
    return run_day(trades, folder, 2, 40)


@pytest.fixture(scope="module")
def run(once: Callable[[Callable[[Path], Run]], Run]) -> Run:
    """A run of which a model spoke."""
    return once(speak)


@pytest.fixture
def brk(run: Run, db: None) -> Break:
    """A break of which a model spoke."""
    found = Break.objects.filter(last_run=run, state="review", differences__attributions__assigned_by="model:1")
    return found.select_related("reconciliation").order_by("pk")[0]


def said(brk: Break) -> Attribution:
    return Attribution.objects.filter(difference__brk=brk, assigned_by="model:1").latest("pk")


def test_what_weighed_is_what_the_model_said(brk: Break) -> None:
    (it,) = why(brk)
    assert it.weighed is not None and not it.changed and (it.field, it.version, it.run) == (
        "amount", 1, said(brk).run_id,
    )  # fmt: skip
    best = list(said(brk).candidates.order_by("rank"))
    assert [it.weighed.reason, it.weighed.runner_up] == [candidate.reason_id for candidate in best[:2]]
    assert math.floor(it.weighed.confidence * 1000) / 1000 == pytest.approx(float(best[0].confidence), abs=0.0011)
    assert sum(line.toward for line in it.weighed.lines()) == pytest.approx(it.weighed.margin, abs=1e-5)


def test_the_page_shows_it_on_demand(brk: Break, client: Client, person: Callable[..., User]) -> None:
    client.force_login(person("Analyst"))
    address = reverse("why", args=[brk.pk])
    page = client.get(brk.get_absolute_url()).content.decode()
    assert f'href="{address}"' in page and "Rather than" not in page
    whole, part = client.get(address), client.get(address, headers={"HX-Request": "true"})
    for answer in (whole, part):
        text = answer.content.decode()
        assert "what the provers and habits say" in text and "Rather than ACCRUAL_DIFF" in text
        assert answer["Vary"].startswith("HX-Request")
    assert "<html" in whole.content.decode() and "<html" not in part.content.decode()
    decide(brk=brk, action="approve", by=person("Supervisor"))
    assert "Together" in client.get(address).content.decode()  # what was decided since changes nothing of it


def test_a_program_reads_it(brk: Break, client: Client, person: Callable[..., User]) -> None:
    token = make_token(user=person("API client"), name="reader", scopes=["read"])
    headers = {"Authorization": f"Token {token}"}
    (found,) = client.get(f"/api/v1/breaks/{brk.pk}/why", headers=headers).json()
    weighed = found["weighed"]
    lines = [*weighed["weights"], weighed["others"], weighed["alike"], weighed["start"]]
    assert sum(it["toward"] for it in lines) == pytest.approx(weighed["margin"], abs=1e-5)
    other = Break.objects.exclude(differences__attributions__assigned_by="model:1").first()
    assert client.get(f"/api/v1/breaks/{other.pk if other else 0}/why", headers=headers).json() == []


def test_an_altered_artifact_is_named(brk: Break, client: Client, person: Callable[..., User], lake: Path) -> None:
    client.force_login(person("Analyst"))
    assert "Together" in client.get(reverse("why", args=[brk.pk])).content.decode()  # the process holds the model now
    artifact = next((lake / "models").iterdir())
    kept = artifact.read_bytes()
    artifact.write_bytes(kept[:-1])
    page = client.get(reverse("why", args=[brk.pk])).content.decode()
    assert "Model 1 cannot tell." in page and "was changed. Restore it from a backup" in page
    artifact.unlink()
    assert "Model 1 cannot tell." in client.get(reverse("why", args=[brk.pk])).content.decode()
    artifact.write_bytes(kept)


def test_a_process_keeps_few_models(brk: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "_kept", dict.fromkeys("abcd"))
    assert why(brk)[0].weighed is not None
    assert list(artifacts._kept)[:3] == ["b", "c", "d"] and len(artifacts._kept) == artifacts.MOST_KEPT


def test_values_that_changed_are_told(brk: Break) -> None:
    row = brk.members.filter(side="a", current=True).get()
    row.record["party"] = "Acme" if row.record["party"] == "Brokers" else "Brokers"
    row.save()
    (it,) = why(brk)
    assert it.changed and it.weighed is not None
