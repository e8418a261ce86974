"""A trained model as bytes and back: a JSON header with its length before it, then the booster as UBJSON. Pure."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from attribution.evidence_lines import Line, lines_from_document
from attribution.history import History
from attribution.leaning import Leaning
from attribution.learned import Columns, Model
from attribution.novelty import Familiar

if TYPE_CHECKING:
    import xgboost as xgb

FORMAT = 6
LENGTH = 8  # bytes of the header's length, big-endian


class BadArtifact(Exception):
    """Bytes that are no model of this version; the text says why."""


def to_bytes(model: Model, lines: Sequence[Line]) -> bytes:
    """The same model gives the same bytes."""
    history = model.history
    header = {
        "format": FORMAT,
        "reasons": model.reasons,
        "columns": asdict(model.columns),
        "known": dict(model.known),
        "counts": {name: _rows_of(table) for name, table in history.counts.items()} if history else None,
        "temperature": model.temperature,
        "leaning": model.leaning.document(),
        "familiar": model.familiar.document(),
        "lines": [line.document() for line in lines],
    }
    text = json.dumps(header, sort_keys=True, ensure_ascii=False).encode()
    return len(text).to_bytes(LENGTH, "big") + text + bytes(model.booster.save_raw("ubj"))


def from_bytes(given: bytes) -> tuple[Model, tuple[Line, ...]]:
    """The model and the evidence lines of its labels; BadArtifact where the bytes are none."""
    import xgboost as xgb  # here, so that only who needs a model loads it

    end = LENGTH + int.from_bytes(given[:LENGTH], "big")
    try:
        header = json.loads(given[LENGTH:end])
        if header["format"] != FORMAT:
            raise BadArtifact(f"It has format {header['format']}, and this version reads {FORMAT}. Train again.")
        booster = xgb.Booster({"nthread": 1})
        booster.load_model(bytearray(given[end:]))
        return _model(header, booster), lines_from_document(header["lines"])
    except (ValueError, KeyError, TypeError, xgb.core.XGBoostError) as error:
        raise BadArtifact("It is no trained model.") from error


def _model(header: dict[str, Any], booster: "xgb.Booster") -> Model:
    reasons = tuple(header["reasons"])
    columns = Columns(**{name: tuple(names) for name, names in header["columns"].items()})
    return Model(
        reasons=reasons,
        columns=columns,
        known=header["known"],
        history=_history(header["counts"], columns, reasons),
        booster=booster,
        temperature=header["temperature"],
        leaning=Leaning.from_document(header["leaning"]),
        familiar=Familiar.from_document(header["familiar"]),
    )


def _history(counts: dict[str, Any] | None, columns: Columns, reasons: tuple[str, ...]) -> History | None:
    if counts is None:
        return None
    tables = {name: _table(counts[name], range(len(reasons))) for name in columns.habits}
    total = next(iter(tables.values())).to_numpy().sum(axis=0)
    return History(reasons, tables, np.asarray(total))


def _rows_of(table: pd.DataFrame) -> dict[str, list[float]]:
    return {str(name): [float(value) for value in row] for name, row in zip(table.index, table.to_numpy(), strict=True)}


def _table(rows: dict[str, list[float]], columns: Any) -> pd.DataFrame:
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(columns), dtype=float).sort_index()
