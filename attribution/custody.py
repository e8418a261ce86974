"""What of this app is under custody: reasons, corrections, models, and a break's attributions as a whole."""

from attribution.models import Certificate, Correction, ModelVersion, Reason
from ingestion.custody import bits, combined, register, register_model, seal_ids

ATTRIBUTIONS = "attributions_of_break"

register(
    ATTRIBUTIONS,
    "attribution of break",
    f"SELECT id, {combined('part')} AS digest FROM ("
    f"SELECT d.break_id AS id, {bits('a')} AS part FROM reconciliation_difference d "
    "JOIN attribution_attribution a ON a.difference_id = d.id WHERE d.break_id {ids} "
    f"UNION ALL SELECT d.break_id, {bits('c')} FROM reconciliation_difference d "
    "JOIN attribution_attribution a ON a.difference_id = d.id "
    "JOIN attribution_candidate c ON c.attribution_id = a.id WHERE d.break_id {ids}) p GROUP BY id",
)
register_model(Reason, Correction, ModelVersion, Certificate)


def seal_attributions(break_ids: list[int]) -> None:
    """Seal the attributions of breaks, candidates included."""
    seal_ids(ATTRIBUTIONS, break_ids)
