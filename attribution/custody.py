"""What of this app is under custody: reasons, corrections, models, and a break's attributions as a whole."""

from attribution.models import Certificate, Correction, ModelVersion, Reason
from ingestion.custody import register, register_model, seal_ids

ATTRIBUTIONS = "attributions_of_break"

register(
    ATTRIBUTIONS,
    "attribution of break",
    "SELECT d.break_id AS id, md5(string_agg(a::text || coalesce(c.digest, ''), '' ORDER BY a.id))::uuid AS digest "
    "FROM attribution_attribution a JOIN reconciliation_difference d ON d.id = a.difference_id LEFT JOIN "
    "(SELECT attribution_id, string_agg(md5(c::text), '' ORDER BY rank) AS digest FROM attribution_candidate c "
    "GROUP BY attribution_id) c ON c.attribution_id = a.id WHERE d.break_id {ids} GROUP BY d.break_id",
)
register_model(Reason, Correction, ModelVersion, Certificate)


def seal_attributions(break_ids: list[int]) -> None:
    """Seal the attributions of breaks, candidates included."""
    seal_ids(ATTRIBUTIONS, break_ids)
