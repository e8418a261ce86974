"""Draws: chance picks some of what passed for a blind audit, and a hidden tenth of what is held, the calibration stream.

Chance is the order of keyed hashes of the breaks' ids: nobody who lacks the seed foresees it, and who has it finds the same
breaks again. Of a pool of n the expected number m is drawn, rounded up with the chance of its fraction, so each of the pool
was drawn with probability m / n exactly.
"""

import hashlib
import secrets

import duckdb
from django.utils import timezone
from psycopg import sql

from attribution.models import Draw, DrawSeed
from ingestion import custody
from ingestion.buckets import BUCKETS
from ingestion.sql_text import literal
from reconciliation.bulk import copy_in, number_rows
from reconciliation.models import Break, Reconciliation, RunStep
from reconciliation.rules import GateRules

CALIBRATION_SHARE = 0.10
AUDIT, CALIBRATION = Draw.Purpose.AUDIT.value, Draw.Purpose.CALIBRATION.value


def draw_breaks(duck: duckdb.DuckDBPyConnection, step: RunStep, gate: GateRules) -> int:
    """Draw from the range's judged breaks (`cause`, `standing`, `explained`, `said`), in the transaction of the step. Gives how many.

    An audit's share and its least number a run are the gate's; a range's part of the least number is that of its buckets.
    """
    secret = seed_of(step.run.reconciliation)
    duck.execute(_EMPTY)
    duck.execute(_POOL, [f"{secret}:{step.run_id}:"])
    least = gate.audit_floor * (step.last_bucket - step.first_bucket + 1) / BUCKETS
    for purpose, share, floor in ((AUDIT, float(gate.audit_rate), least), (CALIBRATION, CALIBRATION_SHARE, 0.0)):
        count = duck.execute("SELECT count(*) FROM pool WHERE purpose = ?", [purpose]).fetchall()[0][0]
        expected = min(float(count), max(share * count, floor))
        if expected:
            drawn = int(expected + chance(secret, step.run_id, step.first_bucket, purpose))
            duck.execute(_DRAW, [expected / count, purpose, drawn])
    return _write(duck, step)


_EMPTY = "CREATE OR REPLACE TEMP TABLE drawn (break_id BIGINT, purpose VARCHAR, probability DECIMAL(6,5), score DECIMAL(6,5))"
_POOL = (
    "CREATE OR REPLACE TEMP TABLE pool AS SELECT s.break_id, g.score, sha256(? || s.break_id) AS ticket, "
    f"CASE WHEN s.passes THEN {literal(AUDIT)} ELSE {literal(CALIBRATION)} END AS purpose "
    "FROM standing s JOIN cause c USING (break_id) JOIN (SELECT e.break_id, min(CASE WHEN d.functional THEN "
    "coalesce(d.functional_share, d.confidence) ELSE 0 END) AS score FROM explained e JOIN said d ON d.no = e.said "
    f"WHERE NOT e.is_late GROUP BY e.break_id) g USING (break_id) WHERE c.kind = {literal(Break.Kind.DIFFERING.value)}"
)
_DRAW = (
    "INSERT INTO drawn SELECT break_id, purpose, greatest(?, 0.00001), score FROM pool WHERE purpose = ? "
    "ORDER BY ticket LIMIT ?"
)


def chance(secret: str, *about: object) -> float:
    """A number in [0, 1) that the secret and the thing decide."""
    digest = hashlib.sha256(":".join(map(str, (secret, *about))).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def seed_of(reconciliation: Reconciliation) -> str:
    """The secret of a reconciliation's draws, made when it is first asked for."""
    seed, is_new = DrawSeed.objects.get_or_create(
        reconciliation=reconciliation, defaults={"secret": secrets.token_hex(32), "made_at": timezone.now()}
    )
    if is_new:
        custody.seal([seed])
    return str(seed.secret)


def _write(duck: duckdb.DuckDBPyConnection, step: RunStep) -> int:
    duck.execute("CREATE OR REPLACE TEMP TABLE ordered AS SELECT * FROM drawn ORDER BY break_id")
    table = Draw._meta.db_table
    count = number_rows(duck, "ordered", table, "numbered")
    if not count:
        return 0
    run, now = step.run, timezone.now().isoformat()
    certificate = "NULL" if run.certificate is None else str(run.certificate)
    copy_in(
        duck,
        f"SELECT id, break_id, {run.pk}, purpose, probability, score, {literal(run.model_version)}, {certificate}, {literal(now)} "
        "FROM numbered ORDER BY id",
        sql.Identifier(table),
        ["id", "break_id", "run_id", "purpose", "probability", "score", "model_version", "certificate", "drawn_at"],
    )
    custody.seal_ids(table, [row[0] for row in duck.execute("SELECT id FROM numbered").fetchall()], first=True)
    return count
