"""A champion that cannot speak passes nothing, is told once to who hears of it, and is cleared when it is back."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.core import mail

from attribution.learned import Model
from attribution.model_alerts import check_champions
from attribution.models import ModelVersion
from config import tasks
from ingestion.alerts import put_target
from ingestion.clock import database_now
from ingestion.models import Alert
from ingestion.notices import send_notice, to_send
from reconciliation.models import Run
from tests.attribution.test_learning import labels, learned, passed, told  # noqa: F401 - fixtures
from tests.attribution.test_trainer import sent  # noqa: F401 - a fixture

Next = Callable[[int], Run]


def test_an_artifact_that_is_gone_is_told_once_and_cleared_when_it_is_back(
    learned: Next,  # noqa: F811
    lake: Path,
    sent: list[int],  # noqa: F811
) -> None:
    told("train", "trades", promote=True)
    put_target(code="all", kind="email", address="all@example.com", sources=[])
    artifact = lake / "models" / ModelVersion.objects.get().artifact_sha256
    bytes_ = artifact.read_bytes()
    artifact.unlink()
    assert passed(learned(2)) == 0
    assert passed(learned(3)) == 0
    tasks.watch_training()
    alert = Alert.objects.get()
    assert alert.sentence.startswith("Model 1 of trades cannot speak, so nothing that differs passes. ")
    for pk in to_send(database_now()):
        send_notice(pk, database_now())
    assert [it.subject[:42] for it in mail.outbox] == ["Tieout: Model 1 of trades cannot speak, so"]
    artifact.write_bytes(bytes_)
    assert check_champions(database_now()) == []
    alert.refresh_from_db()
    assert alert.cleared_at is not None
    artifact.write_bytes(bytes_[:-1])  # it comes again, so it is told again
    assert len(check_champions(database_now())) == 1
    artifact.write_bytes(bytes_)
    assert passed(learned(4)) > 0  # a run that reads it clears it, too
    assert not Alert.objects.filter(cleared_at=None).exists()


def test_a_model_that_answers_with_no_numbers_goes_the_same_way(
    learned: Next,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,  # noqa: F811
) -> None:
    told("train", "trades", promote=True)
    with monkeypatch.context() as patch:
        patch.setattr(Model, "probabilities", lambda self, rows: np.full((len(rows), len(self.reasons)), np.nan))
        assert passed(learned(2)) == 0
    assert "It answers with no numbers. Roll it back" in Alert.objects.get().sentence


def test_rolling_back_clears_it(learned: Next, lake: Path) -> None:  # noqa: F811
    told("train", "trades", promote=True)
    (lake / "models" / ModelVersion.objects.get().artifact_sha256).unlink()
    assert len(check_champions(database_now())) == 1
    told("models", "trades", roll_back=True)
    check_champions(database_now())
    assert Alert.objects.get().cleared_at is not None
