"""What of this app is under custody: plain rows, and a break as a whole with its members, differences and refusals."""

from ingestion.custody import register, register_model, seal_ids
from reconciliation.models import OutcomeCount, OutcomeFile, Reconciliation, RuleSet, Run, RunInput, RunStep, Team

BREAK = "reconciliation_break"


def children(table: str) -> str:
    """SQL of one digest per break over the rows of a child table."""
    return (
        f"(SELECT break_id, string_agg(md5(c::text), '' ORDER BY c.id) AS digest FROM {table} c "
        f"WHERE break_id {{ids}} GROUP BY break_id)"
    )


register(
    BREAK,
    "break",
    "SELECT b.id, md5(concat(b::text, m.digest, d.digest, g.digest))::uuid AS digest FROM reconciliation_break b "
    f"LEFT JOIN {children('reconciliation_member')} m ON m.break_id = b.id "
    f"LEFT JOIN {children('reconciliation_difference')} d ON d.break_id = b.id "
    f"LEFT JOIN {children('reconciliation_gaterefusal')} g ON g.break_id = b.id "
    "WHERE b.state <> 'in_flight' AND b.id {ids}",  # sealed when the step that explains it ends
)
register_model(Team, Reconciliation, RuleSet, Run, RunInput, RunStep, OutcomeFile, OutcomeCount)


def seal_breaks(ids: list[int]) -> None:
    """Seal breaks with everything of this app that hangs on them."""
    seal_ids(BREAK, ids)
