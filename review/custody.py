"""What of this app is under custody."""

from ingestion.custody import register_model
from review.models import Decision, DecisionValue, Export, Waiver

register_model(Decision, DecisionValue, Export, Waiver)
