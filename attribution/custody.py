"""What of this app is under custody: reasons, corrections, models, and under a break's seal its attributions."""

from attribution.models import (
    AuditAnswer,
    AuditReason,
    Certificate,
    ChampionChange,
    Correction,
    Draw,
    DrawSeed,
    GateStep,
    ModelVersion,
    Reason,
    SecondOpinion,
    Training,
)
from ingestion.custody import add_parts, register_model, row_hash
from reconciliation.custody import BREAK

_OF_BREAK = (
    "FROM reconciliation_difference d JOIN attribution_attribution a ON a.difference_id = d.id "
    "{more}WHERE d.break_id {{ids}}"
)

add_parts(
    BREAK,
    f"SELECT d.break_id, {row_hash('a')} {_OF_BREAK.format(more='')}",
    f"SELECT d.break_id, {row_hash('c')} "
    + _OF_BREAK.format(more="JOIN attribution_candidate c ON c.attribution_id = a.id "),
)
register_model(Reason, Correction, ModelVersion, Certificate, DrawSeed, Draw, AuditAnswer, AuditReason, GateStep)
register_model(SecondOpinion, Training, ChampionChange)
