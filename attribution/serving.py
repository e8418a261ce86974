"""The pinned model speaks: what the provers said of a range's differences becomes what the model believes.

The provers' claim is where the model starts from, and the model decides. A proof stays the proof of its reason: where the model
names that reason, its sentence is the attribution's, and where it names another one, it stays beside its candidate. Where a
difference is unlike what the model learned from, the reason is UNKNOWN, and what speaks for others stays beside it.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from attribution.artifacts import pinned_model
from attribution.classifier import FLOOR
from attribution.difference_rows import OF_RECORD, create_rows
from attribution.evidence_join import create_evidence
from attribution.provers.evidence import UNKNOWN
from attribution.scores import Told, tell
from ingestion.lake import AlteredFile
from ingestion.shape import Shape
from ingestion.sql_text import literal, quoted
from reconciliation.bulk import Column, columns
from reconciliation.models import Run

if TYPE_CHECKING:
    from attribution.learned import Model

AT_ONCE = 50_000  # rows whose features are in memory


def ask_model(duck: duckdb.DuckDBPyConnection, shape: Shape, run: Run, reasons: Mapping[str, bool | None]) -> None:
    """Put the words of the run's model into `explained`, `said` and `candidate`. `reasons`: those that the run may name, and
    whether each is functional. AlteredFile, before anything is changed, where the model cannot speak."""
    version, model, lines = pinned_model(run)
    create_rows(duck, shape, [name.removeprefix(OF_RECORD) for name in model.columns.habits if name != "field"])
    duck.execute(_ASKED)
    _guess(duck, model, reasons)
    create_evidence(duck, lines)
    _speak(duck, f"model:{version.version}", reasons)


_ASKED = "CREATE TEMP TABLE asked AS SELECT *, row_number() OVER (ORDER BY no) - 1 AS place FROM field_row"


def _guess(duck: duckdb.DuckDBPyConnection, model: "Model", reasons: Mapping[str, bool | None]) -> None:
    """Create `guess` (place, rank, reason, confidence), the three best reasons of each asked row that the run may name, and
    `judged` (place, functional_share, unfamiliar)."""
    duck.execute("CREATE TEMP TABLE guess (place BIGINT, rank UTINYINT, reason VARCHAR, confidence DECIMAL(6,5))")
    duck.execute("CREATE TEMP TABLE judged (place BIGINT, functional_share DECIMAL(6,5), unfamiliar VARCHAR)")
    shown = ", ".join(
        map(quoted, dict.fromkeys(("field", "kind", "claim", "value_a", "value_b", *model.columns.codes)))
    )
    count = duck.execute("SELECT count(*) FROM asked").fetchall()[0][0]
    for start in range(0, count, AT_ONCE):
        rows = duck.execute(
            f"SELECT {shown} FROM asked WHERE place >= {start} AND place < {start + AT_ONCE} ORDER BY place"
        ).df()
        chances = model.probabilities(rows)
        if not np.isfinite(chances).all():
            raise AlteredFile("It answers with no numbers. Roll it back, and train another one.")
        told = tell(chances, model.reasons, reasons)
        _keep_best(duck, start, model.reasons, told)
        judged: dict[str, Column] = {
            "place": np.arange(len(rows)) + start,
            "functional_share": told.functional_share,
            "unfamiliar": model.unfamiliar(rows),
        }
        with columns(duck, "made", judged):
            duck.execute("INSERT INTO judged SELECT place, functional_share, CAST(unfamiliar AS VARCHAR) FROM made")


def _keep_best(duck: duckdb.DuckDBPyConnection, start: int, known: Sequence[str], told: Told) -> None:
    places, ranks = np.indices(told.order.shape)
    held = told.confidence.ravel() >= 0
    made = {
        "place": places.ravel()[held] + start,
        "rank": (ranks.ravel()[held] + 1).astype(np.uint8),
        "reason": np.array(known, dtype=object)[told.order.ravel()[held]],
        "confidence": told.confidence.ravel()[held],
    }
    with columns(duck, "made", made):
        duck.execute("INSERT INTO guess SELECT place, rank, CAST(reason AS VARCHAR), confidence FROM made")


def _speak(duck: duckdb.DuckDBPyConnection, speaker: str, reasons: Mapping[str, bool | None]) -> None:
    """New entries of `said` and `candidate` after the provers' ones, and `explained` turned to them."""
    duck.execute("CREATE TEMP TABLE named (reason VARCHAR, functional BOOLEAN)")
    if reasons:
        duck.executemany("INSERT INTO named VALUES (?, ?)", [list(pair) for pair in reasons.items()])
    first = duck.execute("SELECT coalesce(max(no), -1) + 1 FROM said").fetchall()[0][0]
    is_sure = f"(g.confidence >= {FLOOR} AND j.unfamiliar = '')"
    duck.execute(
        f"CREATE TEMP TABLE model_said AS SELECT k.place + {first} AS no, "
        f"CASE WHEN {is_sure} THEN g.reason ELSE {literal(UNKNOWN)} END AS reason, g.confidence, "
        f"CASE WHEN {is_sure} THEN n.functional END AS functional, j.functional_share, j.unfamiliar, "
        f"CASE WHEN {is_sure} AND s.reason = g.reason THEN s.proof ELSE '' END AS proof, {literal(speaker)} AS assigned_by "
        "FROM asked k JOIN guess g ON g.place = k.place AND g.rank = 1 JOIN named n ON n.reason = g.reason "
        "JOIN judged j ON j.place = k.place JOIN said s ON s.no = k.said"
    )
    duck.execute(
        f"INSERT INTO candidate BY NAME SELECT k.place + {first} AS no, g.rank, g.reason, g.confidence, "
        "coalesce(nullif(concat_ws(' ', c.evidence, e.sentence), ''), 'No label of such a difference names it.') AS evidence "
        "FROM asked k JOIN guess g ON g.place = k.place LEFT JOIN candidate c ON c.no = k.said AND c.reason = g.reason "
        "LEFT JOIN evidence e ON e.place = k.place AND e.rank = g.rank"
    )
    duck.execute("INSERT INTO said BY NAME SELECT * FROM model_said")
    duck.execute(
        f"UPDATE explained SET said = k.said_now FROM (SELECT unnest(ids) AS id, place + {first} AS said_now FROM asked "
        "WHERE place IN (SELECT place FROM guess)) k WHERE explained.id = k.id AND NOT explained.is_late"
    )
