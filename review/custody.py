"""What of this app is under custody."""

from ingestion.custody import register_model
from review.models import Decision, DecisionValue, Waiver

register_model(Decision, DecisionValue, Waiver)
