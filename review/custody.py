"""What of this app is under custody."""

from ingestion.custody import register_model
from review.models import BulkDecision, BulkRow, Decision, DecisionValue, Export, Waiver

register_model(BulkDecision, BulkRow, Decision, DecisionValue, Export, Waiver)
