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
register_whole(  # a preview says nothing, and bears no seal
    "review_bulkanswer",
    "bulk answer",
    f"SELECT a.id, {row_hash('a')} FROM review_bulkanswer a WHERE a.answered_at IS NOT NULL AND a.id {{ids}}",
    f"SELECT r.answer_id, {row_hash('r')} FROM review_bulkanswerrow r WHERE r.answer_id {{ids}}",
)
