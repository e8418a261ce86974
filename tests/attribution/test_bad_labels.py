"""Labels of records that hold odd values: training takes them, and the model's numbers stay numbers."""

import json
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from attribution.models import ModelVersion
from reconciliation.models import Difference, Reconciliation, Run
from tests.attribution.test_learning import told, write_labels
from tests.conftest import DEFINITION, problems, reconcile_rows, row

HUGE = "9999999999999999.99"
ODD = (("NaN", "1.00"), ("1.00", "inf"), (HUGE, "0.01"), (f"-{HUGE}", HUGE), ("0.00", HUGE), ("", "1.00"))


def numbers(document: object) -> Iterator[float]:
    """Every number of a document."""
    if isinstance(document, dict | list):
        for it in document.values() if isinstance(document, dict) else document:
            yield from numbers(it)
    elif isinstance(document, float):
        yield document


def test_odd_values_of_one_field_are_learned_from(reconcile: Callable[..., Run], tmp_path: Path) -> None:
    rng = random.Random(1)
    pairs = {f"K{n}": ODD[n % len(ODD)] for n in range(60)}
    pairs |= {f"P{n}": (f"{rng.randrange(100, 900)}.00", f"{rng.randrange(100, 900)}.50") for n in range(60)}
    reconcile([row(key, a) for key, (a, _) in pairs.items()], [row(key, b) for key, (_, b) in pairs.items()])
    keys = Difference.objects.filter(field="amount", current=True).values_list("brk__key", flat=True)
    truth = [(key, "MANUAL_ENTRY_ERR" if key[0] == "K" else "ACCRUAL_DIFF") for key in keys]
    assert sum(reason == "MANUAL_ENTRY_ERR" for _, reason in truth) == 60
    told("import_corrections", str(write_labels(tmp_path / "labels.csv", truth)))
    told("train", "trades", promote=True)
    model = ModelVersion.objects.get()
    found = list(numbers(model.metrics))
    assert model.labels == len(truth) and found and all(math.isfinite(it) for it in found)
    assert "NaN" not in json.dumps(model.metrics)
    again = reconcile([row("Z1", "NaN"), row("Z2", HUGE)], [row("Z1", "2.00"), row("Z2", "0.01")])
    assert again.state == Run.State.DONE and problems() == []


def test_records_without_a_date_are_learned_from(define: Callable[[str], object], tmp_path: Path) -> None:
    define(DEFINITION.replace("      day: {type: date}\n", "").replace("      day: {column: day}\n", ""))
    trades = Reconciliation.objects.get(code="trades")
    pairs = [(f"K{n}", f"{n + 10}.00", f"{n + 10}.{50 if n % 2 else 25}") for n in range(60)]
    reconcile_rows(trades, tmp_path, [row(key, a) for key, a, _ in pairs], [row(key, b) for key, _, b in pairs])
    truth = [(key, "MANUAL_ENTRY_ERR" if n % 2 else "ACCRUAL_DIFF") for n, (key, *_) in enumerate(pairs)]
    told("import_corrections", str(write_labels(tmp_path / "labels.csv", truth)))
    told("train", "trades")
    assert ModelVersion.objects.get().labels == len(truth)
