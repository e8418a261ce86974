"""Labels from files: all of them or none, and a bad line says what would be right."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from attribution.label_import import BadLabels, import_labels
from attribution.models import Correction, ModelVersion
from attribution.training import LOCK, TrainingRefused, train_model
from reconciliation.models import Break, Reconciliation, Run
from review.decisions import decide
from tests.conftest import problems, row
from tests.standing import lake_folder, standing_trades  # noqa: F401

HEAD = "reconciliation,key,field,reason"


@pytest.fixture(scope="module")
def run(standing: Callable[..., Run]) -> Run:
    """Three differing records, one with a key that a spreadsheet would compute, and one that is missing in B."""
    left = [row("K1", "1.25"), row("K2", "7.00"), row("=K2", "7.00"), row("K3")]
    return standing(left, [row("K1", "-1.25"), row("K2", "3.50"), row("=K2", "3.50")])


@pytest.fixture
def given(run: Run, db: None, tmp_path: Path) -> Callable[[str], Path]:
    """A function that writes a file of labels of that run."""

    def write(*lines: str) -> Path:
        file = tmp_path / "labels.csv"
        file.write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
        return file

    return write


def test_labels_become_corrections_once(given: Callable[..., Path]) -> None:
    file = given(
        HEAD, "trades,K1,amount,SIGN_FLIP", "trades,K2,amount,ACCRUAL_DIFF", "trades,K3,*row*,MISSING_SOURCE_B"
    )
    assert vars(import_labels(file=file, by="ann")) == {"written": 3, "known": 0, "kept": 0, "waiting": 0}
    assert vars(import_labels(file=file, by="ann")) == {"written": 0, "known": 3, "kept": 0, "waiting": 0}
    first = Correction.objects.get(difference__brk__key="K1")
    assert (first.reason_id, first.predicted, first.confirmed_by, first.active) == (
        "SIGN_FLIP",
        "SIGN_FLIP",
        "ann",
        True,
    )
    assert vars(import_labels(file=given(HEAD, "trades,K2,amount,FX_VARIANCE"), by="bob"))["written"] == 1
    assert list(
        Correction.objects.filter(difference__brk__key="K2", active=True).values_list("reason_id", flat=True)
    ) == ["FX_VARIANCE"]
    assert problems() == []


def test_a_decision_made_here_stands(given: Callable[..., Path], person: Callable[..., User]) -> None:
    decide(brk=Break.objects.get(key="K2"), action="override", reason="FX_VARIANCE", by=person("Manager"))
    done = import_labels(file=given(HEAD, "trades,K2,amount,ACCRUAL_DIFF"), by="ann")
    assert vars(done) == {"written": 0, "known": 0, "kept": 1, "waiting": 0}
    assert Correction.objects.get(difference__brk__key="K2", active=True).reason_id == "FX_VARIANCE"


BAD_LINES = {
    "trade,K1,amount,SIGN_FLIP": "line 3: there is no reconciliation 'trade'; did you mean 'trades'?",
    "trades,K1,amount,SIGNFLIP": "line 3: there is no active reason 'SIGNFLIP'; did you mean 'SIGN_FLIP'?",
    "trades,K1,amount,UNKNOWN": "line 3: UNKNOWN is no reason to learn from. Leave the line out.",
    "trades,K9,amount,SIGN_FLIP": "line 3: no break has the key 'K9'.",
    "trades,K1,day,SIGN_FLIP": "line 3: 'day' does not differ for the key 'K1'. What differs is amount.",
    "trades,K2,amount,SIGN_FLIP": "line 3: it says SIGN_FLIP, and line 2 says ACCRUAL_DIFF of the same difference.",
    "trades,K1,amount": "line 3: it has 3 cells",
    'trades,"K1,amount,SIGN_FLIP': "is no CSV",
    "trades,K\0,amount,SIGN_FLIP": "line 3: it holds a NUL character, which no key and no field does.",
}


def test_a_bad_line_is_named_and_nothing_is_imported(given: Callable[..., Path], tmp_path: Path) -> None:
    for line, fault in BAD_LINES.items():
        with pytest.raises(BadLabels) as refused:
            import_labels(file=given(HEAD, "trades,K2,amount,ACCRUAL_DIFF", line), by="ann")
        assert fault in str(refused.value)
    for lines, fault in (
        (["key,field"], "There is no column reconciliation, reason."),
        ([HEAD], "There are no labels"),
    ):
        with pytest.raises(BadLabels, match=fault):
            import_labels(file=given(*lines), by="ann")
    with pytest.raises(BadLabels, match="cannot be read"):
        import_labels(file=tmp_path / "none.csv", by="ann")
    assert not Correction.objects.exists()


@pytest.mark.parametrize(
    "again",
    [
        "trades,K2,amount,SIGN_FLIP",
        " trades ,K2, amount ,SIGN_FLIP",
        "trades,'=K2,amount,SIGN_FLIP",
    ],
)
def test_labels_of_one_file_that_contradict_each_other_are_refused_with_both_lines(
    given: Callable[..., Path], again: str
) -> None:
    """However the second one is written; what stood before stands, and the same said twice is one label."""
    key = "=K2" if "'" in again else "K2"

    def give(*lines: str) -> object:
        return vars(import_labels(file=given(HEAD, *lines), by="ann"))

    first = f"trades,{key},amount,ACCRUAL_DIFF"
    assert give(f"trades,{key},amount,FX_VARIANCE")["written"] == 1  # type: ignore[index]
    for lines, told in (
        ([first, "trades,K1,amount,SIGN_FLIP", again], "line 4: it says SIGN_FLIP, and line 2 says ACCRUAL_DIFF"),
        ([again, first, first], "line 3: it says ACCRUAL_DIFF, and line 2 says SIGN_FLIP"),
    ):
        with pytest.raises(BadLabels, match=told):
            give(*lines)
    assert list(Correction.objects.values_list("reason_id", "active")) == [("FX_VARIANCE", True)]
    assert give(first, first)["written"] == 1 and problems() == []  # type: ignore[index]


def test_a_key_with_a_nul_is_no_key_with_another_character(given: Callable[..., Path]) -> None:
    """The two would be one difference with two labels."""
    Break.objects.filter(key="K2").update(key="K\ufffd")
    with pytest.raises(BadLabels, match="line 2: it holds a NUL"):
        import_labels(file=given(HEAD, "trades,K\0,amount,SIGN_FLIP", "trades,K\ufffd,amount,ACCRUAL_DIFF"), by="ann")
    assert not Correction.objects.exists()


def test_every_bad_line_is_named_at_once(given: Callable[..., Path]) -> None:
    bad = {
        line: fault
        for line, fault in BAD_LINES.items()
        if any(it in fault for it in ("there is no", "no break", "does not"))
    }
    with pytest.raises(BadLabels) as refused:
        import_labels(file=given(HEAD, *bad), by="ann")
    assert [line for line, _ in refused.value.faults] == [2, 3, 4, 5]
    assert all(fault.partition(": ")[2] in str(refused.value) for fault in bad.values())


def test_a_dry_run_says_what_would_be_and_keeps_nothing(
    given: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    file = given(HEAD, "trades,K1,amount,SIGN_FLIP", "trades,K2,amount,ACCRUAL_DIFF")
    for told, options in (
        ("2 labels to import, 0", {"dry_run": True}),
        ("2 labels imported, 0", {}),
        ("0 labels to import, 2", {"dry_run": True}),
    ):
        call_command("import_corrections", str(file), **options)
        assert capsys.readouterr().out.startswith(told)
    assert Correction.objects.count() == 2


def test_too_little_to_learn_from_is_refused(
    given: Callable[..., Path], reconcile: Callable[..., Run], trades: Reconciliation
) -> None:
    with pytest.raises(TrainingRefused, match="trades has no labels to learn from. Decide breaks, or import labels"):
        train_model(reconciliation=trades, by="ann")
    keys = [f"N{n}" for n in range(30)]
    reconcile([row(key, "9.00") for key in keys], [row(key, "3.00") for key in keys])
    for count, fault in (
        (10, "has 10 labels; a model learns from 30 at least. 20 more"),
        (30, "All 30 labels of trades say"),
    ):
        import_labels(file=given(HEAD, *(f"trades,{key},amount,ACCRUAL_DIFF" for key in keys[:count])), by="ann")
        with pytest.raises(TrainingRefused, match=fault):
            train_model(reconciliation=trades, by="ann")
    assert not ModelVersion.objects.exists()


def test_one_training_at_a_time(trades: Reconciliation) -> None:
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK, trades.pk])
        with pytest.raises(TrainingRefused, match="is being trained already"):
            train_model(reconciliation=trades, by="ann")
