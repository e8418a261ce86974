"""The rule of promotion, condition by condition, and what a person may do against it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from attribution.champions import promote, roll_back
from attribution.models import ChampionChange, ModelVersion
from attribution.promotion import Verdict, verdict_of
from attribution.registry import PromotionRefused, champion_of
from attribution.trainer import train_now
from ingestion import custody
from ingestion.changes import save_named
from reconciliation.models import Reconciliation, Run
from tests.attribution.test_learning import learn_day, passed, told
from tests.conftest import define_trades, make_person, problems, row
from tests.standing import lake_folder  # noqa: F401

BETTER = {
    "champion": 1, "learned": 0, "labels": 400, "records": 300, "passes": [150, 120], "log_loss": [0.4, 0.5],
    "gain_at_least": 0.05, "recalls": {"ACCRUAL_DIFF": [200, 180, 170, 0.0]},
}  # fmt: skip


Two = tuple[ModelVersion, ModelVersion, User]


def train_two(folder: Path) -> Two:
    """A champion, a candidate from labels that the champion had not seen, and a manager."""
    manager, trades = make_person("Manager"), learn_day(define_trades(folder), folder, 1, 40)
    first = promote(model=train_now(reconciliation=trades, by="ann"), by=manager)
    learn_day(trades, folder, 2, 160)
    return first, train_now(reconciliation=trades, by="ann"), manager


@pytest.fixture(scope="module")
def made(once: Callable[[Callable[[Path], Two]], Two]) -> Two:
    """A champion, a candidate, and a manager."""
    return once(train_two)


@pytest.fixture
def two(made: Two, db: None) -> Two:
    """A champion, a candidate, and a manager, as the database has them."""
    first, second, manager = made
    return ModelVersion.objects.get(pk=first.pk), ModelVersion.objects.get(pk=second.pk), manager


def codes(verdict: Verdict) -> dict[str, bool]:
    """The conditions, and whether each holds."""
    return {it.code: it.holds for it in verdict.conditions}


def with_comparison(model: ModelVersion, **changed: object) -> Verdict:
    """The verdict on a model whose comparison is another."""
    model.metrics["challenge"] = BETTER | changed
    return verdict_of(model)


def test_the_champion_is_asked_about_later_labels_that_it_has_not_seen(
    two: Two,
) -> None:
    first, second, manager = two
    found = second.metrics["challenge"]
    assert (found["champion"], found["learned"], found["labels"], found["records"]) == (1, 0, 40, 40)
    assert codes(verdict_of(second)) == {"artifact": True, "comparison": True, "recalls": True}
    page = told("models", "trades", show=2)
    assert "The rule of promotion" in page and "holds   On the same 40 later labels" in page
    promote(model=second, by=manager)
    change = ChampionChange.objects.first()
    assert change is not None
    assert (change.version, change.before, change.by, change.allowed) == (2, 1, "manager", True)
    assert [code for code, *_ in change.verdict] == ["artifact", "comparison", "recalls"]
    assert problems() == []
    assert not verdict_of(first).allows  # it was never compared with the model that replaced it


CASES: list[tuple[dict[str, object], list[str]]] = [
    ({}, []),
    ({"passes": [100, 120], "gain_at_least": 0.01}, []),  # surer of the truth is enough
    ({"passes": [120, 120], "gain_at_least": -0.2}, []),  # as much coverage is enough
    ({"passes": [100, 120], "gain_at_least": 0.0}, ["comparison"]),
    ({"recalls": {"A": [100, 40, 80, 0.0512]}}, ["recalls"]),
    ({"recalls": {"A": [100, 40, 80, 0.05]}}, []),
    ({"champion": 7}, ["comparison"]),
]


def test_each_condition_is_asked(two: Two) -> None:
    for changed, fails in CASES:
        verdict = with_comparison(two[1], **changed)
        assert [code for code, holds in codes(verdict).items() if not holds] == fails
        assert verdict.allows is not bool(fails)


def test_against_the_rule_a_comment_is_asked_for_and_kept(two: Two) -> None:
    first, second, manager = two
    with_comparison(second, passes=[100, 120], gain_at_least=-0.1)
    second.save()
    custody.seal([second])
    with pytest.raises(
        PromotionRefused, match=r"33\.3 % of the records would pass, with model 1 40\.0 %.* say why in a comment"
    ):
        promote(model=second, by=manager, comment="  ")
    with pytest.raises(CommandError, match="say why in a comment"):
        told("models", "trades", promote=2)
    told("models", "trades", promote=2, comment="The audit asked for it.")
    change = ChampionChange.objects.get(version=2)
    assert (change.allowed, change.comment, change.by) == (False, "The audit asked for it.", "command")
    roll_back(reconciliation=first.reconciliation, by=manager)
    back = ChampionChange.objects.first()
    assert back is not None and (back.verb, back.version, back.before) == ("roll_back", 1, 2)
    assert champion_of(first.reconciliation) == first
    assert problems() == []


def test_a_second_click_takes_no_second_step_back(two: Two) -> None:
    first, second, manager = two
    promote(model=second, by=manager, comment="why")
    with CaptureQueriesContext(connection) as asked:
        assert roll_back(reconciliation=first.reconciliation, by=manager, model=second) == first
    texts = [it["sql"] for it in asked.captured_queries]
    locks, looks = (next(n for n, it in enumerate(texts) if part in it) for part in ("FOR UPDATE", "'champion'"))
    assert locks < looks  # else who waited for the first click would act on what stood before it
    for gone in (second, ModelVersion(pk=0, reconciliation=first.reconciliation, version=9)):
        with pytest.raises(PromotionRefused, match="is not the champion, so it cannot be rolled back"):
            roll_back(reconciliation=first.reconciliation, by=manager, model=gone)
    assert champion_of(first.reconciliation) == first and problems() == []


def test_a_budgeted_gate_asks_for_a_certificate(two: Two) -> None:
    _, second, manager = two
    trades = second.reconciliation
    save_named(Reconciliation, "trades", {"rules": trades.rules | {"gate": {"budget": "0.05"}}})
    trades.refresh_from_db()
    assert codes(verdict_of(second))["certificate"] is False
    with pytest.raises(
        PromotionRefused, match="It holds no valid certificate for the gate's budget of 5 %, so nothing would pass"
    ):
        promote(model=second, by=manager)
    told("train", "trades", promote=True)  # refuses only an invalid artifact
    assert ChampionChange.objects.first().comment == "train --promote"  # type: ignore[union-attr]


def test_an_artifact_that_is_gone_is_never_promoted(two: Two, lake: Path) -> None:
    _, second, manager = two
    artifact = lake / "models" / second.artifact_sha256
    kept = artifact.read_bytes()
    artifact.unlink()
    assert codes(verdict_of(second))["artifact"] is False
    with pytest.raises(PromotionRefused, match="cannot be promoted"):
        promote(model=second, by=manager, comment="please")
    artifact.write_bytes(kept)


def test_a_champion_whose_row_was_deleted_passes_nothing(two: Two, reconcile: Callable[..., Run]) -> None:
    first = two[0]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE attribution_modelversion SET parent_id = NULL")
        cursor.execute(
            "UPDATE attribution_training SET state = 'failed', model_id = NULL WHERE model_id = %s", [first.pk]
        )
        cursor.execute("DELETE FROM attribution_modelversion WHERE id = %s", [first.pk])
    run = reconcile([row("Z", "9.25")], [row("Z", "9.00")])  # which the provers alone let pass
    assert (run.model_version, passed(run)) == ("1", 0)
    assert any("was deleted by hand" in it for it in problems())
