"""What of this app is under custody: plain rows, and a break as a whole with its members, differences and refusals."""

from ingestion.custody import register_model, register_whole, row_hash, seal_ids
from reconciliation.models import (
    AutomaticRun,
    Hold,
    OutcomeCount,
    OutcomeFile,
    Reconciliation,
    Retraction,
    RuleSet,
    Run,
    RunInput,
    RunStep,
    Scope,
    ScopeValue,
    Team,
    TeamScope,
)

BREAK = "reconciliation_break"

PARTS = ("reconciliation_member", "reconciliation_difference", "reconciliation_gaterefusal")

register_whole(
    BREAK,
    "break",
    f"SELECT b.id, {row_hash('b')} FROM reconciliation_break b "
    "WHERE b.state <> 'in_flight' AND b.id {ids}",  # sealed when the step that explains it ends
    *(f"SELECT c.break_id, {row_hash('c')} FROM {table} c WHERE c.break_id {{ids}}" for table in PARTS),
)
register_model(
    Team, Reconciliation, RuleSet, Run, RunInput, RunStep, OutcomeFile, OutcomeCount, AutomaticRun, Retraction, Hold,
    TeamScope, Scope, ScopeValue,
)  # fmt: skip


def seal_breaks(ids: list[int], *, first: bool = False) -> None:
    """Seal breaks with everything that hangs on them. `first`: none of them bears a seal yet."""
    seal_ids(BREAK, ids, first=first)
