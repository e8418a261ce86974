"""What of this app is under custody."""

from ingestion.custody import register_model, register_whole, row_hash
from review.models import BulkDecision, BulkRow, Comment, Decision, DecisionValue, Export, Mention, Waiver

register_model(BulkDecision, BulkRow, Comment, Decision, DecisionValue, Export, Mention, Waiver)
register_whole(
    "review_incident",
    "incident",
    f"SELECT i.id, {row_hash('i')} FROM review_incident i WHERE i.id {{ids}}",
    f"SELECT m.incident_id, {row_hash('m')} FROM review_incidentbreak m WHERE m.incident_id {{ids}}",
)
