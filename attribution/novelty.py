"""Novelty: differences that no label resembles, of which a model can only guess. Pure, deterministic.

Three questions, each in the words of one field's kind (number, date, text). Do enough labels share the difference's signature: the
kind, what the provers claim, and what the values look like? Are labels of such a signature not too rare for who and where? Are the
values nearer to those of some label than nearly all labels are to each other?
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from attribution.rarity import Rarity, rarity_of

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

LEAST = 3  # labels that share a signature
UNLIKE = 0.015  # of the labels of a kind: as many as are farther from all others than the limit
REFERENCE = 4_000  # labels of a kind that are looked at: the latest
SEPARATOR = "|"
ALONE = "No label shares this kind of field, claim of the provers and look."
RARE = "Labels that look so are rare for this {}."
FAR = "No label has values like these."

EXACT = np.dtype("<f4")


@dataclass(frozen=True)
class Familiar:
    """What the labels know. `rarity`: of signatures, by who and where; `points` of each kind: where its labels lie; `limits`: how
    far from all of them a difference may lie."""

    rarity: Rarity
    points: Mapping[str, np.ndarray]
    limits: Mapping[str, float]

    def unfamiliar(self, rows: pd.DataFrame, values: pd.DataFrame) -> np.ndarray:
        """A sentence for each row that no label resembles, else an empty text."""
        signatures = signatures_of(rows, values)
        alone, rare = self.rarity.counts_of(signatures) < LEAST, self.rarity.rare(rows, signatures)
        far = ~(alone | rare) & self._far(rows, values)
        where = [name.removeprefix("record's ") for name in self.rarity.pairs]
        told = " and ".join(filter(None, [", ".join(where[:-1]), *where[-1:]]))
        return np.select([alone, rare, far], [ALONE, RARE.format(told), FAR], default="").astype(object)

    def _far(self, rows: pd.DataFrame, values: pd.DataFrame) -> np.ndarray:
        kinds, far = rows["kind"].to_numpy(), np.ones(len(rows), dtype=bool)
        for kind, tree in self._trees.items():
            here = np.flatnonzero(kinds == kind)
            if len(here):
                far[here] = tree.query(coordinates(values.iloc[here], kind))[0] > self.limits[kind]
        return far

    def document(self) -> dict[str, Any]:
        """As JSON takes it; points as the base64 of little-endian float32, a row a label."""
        return {
            "rarity": self.rarity.document(),
            "points": {kind: b64encode(points.tobytes()).decode() for kind, points in self.points.items()},
            "limits": dict(self.limits),
        }

    @classmethod
    def from_document(cls, given: Mapping[str, Any]) -> "Familiar":
        """From `document`."""
        points = {
            kind: np.frombuffer(b64decode(text), dtype=EXACT).reshape(-1, SIZES[kind])
            for kind, text in given["points"].items()
        }
        return cls(Rarity.from_document(given["rarity"]), points, given["limits"])

    @cached_property
    def _trees(self) -> "dict[str, cKDTree]":
        from scipy.spatial import cKDTree  # here, so that only who needs a model loads it

        return {kind: cKDTree(points) for kind, points in self.points.items()}


NOTHING = Familiar(Rarity([], np.zeros(0, dtype=int), np.zeros(0, dtype=int), {}, 0.0), {}, {})


def familiar(rows: pd.DataFrame, values: pd.DataFrame, habits: Sequence[str]) -> Familiar:
    """From labelled differences in the order of time, what the model sees of their values, and who and where."""
    points, limits = {}, {}
    for kind in sorted(map(str, rows["kind"].unique())):
        own = values[rows["kind"].to_numpy() == kind].iloc[-REFERENCE:]
        points[kind] = coordinates(own, kind)
        limits[kind] = _limit(points[kind])
    return Familiar(rarity_of(rows, signatures_of(rows, values), habits), points, limits)


def signatures_of(rows: pd.DataFrame, values: pd.DataFrame) -> np.ndarray:
    """The kind, the claim and the look of each row."""
    kinds, claims = (rows[name].astype(str).to_numpy(object) for name in ("kind", "claim"))
    return np.asarray(kinds + SEPARATOR + claims + SEPARATOR + look_of(rows, values), dtype=object)


def look_of(rows: pd.DataFrame, values: pd.DataFrame) -> np.ndarray:
    """A short text of what the values look like."""
    kinds = rows["kind"].to_numpy()
    made = np.empty(len(rows), dtype=object)
    for kind in ("number", "date", "text"):
        here = np.flatnonzero(kinds == kind)
        made[here] = _joined(LOOKS[kind](values.iloc[here])) if len(here) else ""
    made[[it is None for it in made]] = ""
    return made


def _joined(columns: Sequence[np.ndarray]) -> np.ndarray:
    codes = [np.nan_to_num(np.asarray(it, dtype=float), nan=-9).astype(int).astype(str) for it in columns]
    made = codes[0].astype(object)
    for code in codes[1:]:
        made = made + "," + code.astype(object)
    return np.asarray(made, dtype=object)


def _number_look(values: pd.DataFrame) -> list[np.ndarray]:
    return [
        np.digitize(values["gap relative to A"], (0.0001, 0.001, 0.01, 0.16, 0.99)),
        values["B is larger"].to_numpy(),
        values["sign is turned"].to_numpy(),
        (values["B is A rounded to"] >= 0).to_numpy() + 2 * (values["B is A cut to"] >= 0).to_numpy(),
        (values["distance from a power of ten"] < 1e-9).to_numpy(),
        values["ratio is exact to"].to_numpy(),
    ]


def _date_look(values: pd.DataFrame) -> list[np.ndarray]:
    return [
        np.digitize(values["days from A to B"], (-30, -7, -1, 0, 2, 4, 8, 31)),
        values["day and month swapped"].to_numpy(),
    ]


def _text_look(values: pd.DataFrame) -> list[np.ndarray]:
    return [
        np.digitize(values["steps from A to B"], (1, 2, 3, 6)),
        np.digitize(values["steps without case, spaces and signs"], (1, 2, 3)),
        values["B begins A"].to_numpy() if "B begins A" in values else np.zeros(len(values)),
        values["B has foreign letters"].to_numpy(),
        values["B is digits"].to_numpy(),
    ]


LOOKS = {"number": _number_look, "date": _date_look, "text": _text_look}


def coordinates(values: pd.DataFrame, kind: str) -> np.ndarray:
    """Rows x coordinates in which a step of one is worth noticing; what has no answer lies apart."""
    made = np.column_stack([np.asarray(it, dtype=float) for it in COORDINATES[kind](values)])
    return np.nan_to_num(made, nan=-20.0, posinf=30.0, neginf=-30.0).astype(EXACT)


def _number_place(values: pd.DataFrame) -> list[np.ndarray]:
    with np.errstate(all="ignore"):
        moved = np.arcsinh(100 * np.log(np.abs(values["ratio B to A"].to_numpy(float))))
    return [
        4 * moved,
        0.5 * values["size of the gap, power of ten"],
        5 * (values["ratio B to A"] < 0),
        0.5 * values["decimal places of B"],
        0.5 * values["B is A rounded to"],
        0.5 * values["B is A cut to"],
        values["ratio is exact to"],
    ]


def _date_place(values: pd.DataFrame) -> list[np.ndarray]:
    return [
        2 * np.arcsinh(values["days from A to B"]),
        values["day and month swapped"],
        values["same day of the month"],
    ]


def _text_place(values: pd.DataFrame) -> list[np.ndarray]:
    return [
        values["steps from A to B"] / 2,
        3 * values["steps relative to the length"],
        values["steps without case, spaces and signs"] / 2,
        values["B is longer by"] / 2,
        2 * values["B has foreign letters"],
        2 * values["B is digits"],
        values["B is capitals"],
        values["B begins A"],
    ]


COORDINATES = {"number": _number_place, "date": _date_place, "text": _text_place}
SIZES = {"number": 7, "date": 3, "text": 8}  # coordinates of a kind


def _limit(points: np.ndarray) -> float:
    """The distance to the nearest other label that few labels exceed; endless where there is one alone."""
    if len(points) < 2:
        return float("inf")
    from scipy.spatial import cKDTree

    nearest = cKDTree(points).query(points, k=2)[0][:, 1]
    return float(np.quantile(nearest, 1 - UNLIKE, method="higher"))
