"""What of this app is under custody: plain rows, and a break as a whole with its members, differences and refusals."""

from ingestion.custody import bits, combined, register, register_model, seal_ids
from reconciliation.models import OutcomeCount, OutcomeFile, Reconciliation, RuleSet, Run, RunInput, RunStep, Team

BREAK = "reconciliation_break"

PARTS = ("reconciliation_member", "reconciliation_difference", "reconciliation_gaterefusal")

register(
    BREAK,
    "break",
    f"SELECT id, {combined('part')} AS digest FROM ("
    f"SELECT b.id, true AS is_whole, {bits('b')} AS part FROM reconciliation_break b "
    "WHERE b.state <> 'in_flight' AND b.id {ids}"  # sealed when the step that explains it ends
    + "".join(
        f" UNION ALL SELECT c.break_id, false, {bits('c')} FROM {table} c WHERE c.break_id {{ids}}" for table in PARTS
    )
    + ") p GROUP BY id HAVING bool_or(is_whole)",
)
register_model(Team, Reconciliation, RuleSet, Run, RunInput, RunStep, OutcomeFile, OutcomeCount)


def seal_breaks(ids: list[int]) -> None:
    """Seal breaks with everything of this app that hangs on them."""
    seal_ids(BREAK, ids)
