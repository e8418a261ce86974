"""Who decides."""

from review.models.access import ApiToken, IdempotentRequest
from review.models.decision import Decision, DecisionValue, Waiver

__all__ = ["ApiToken", "Decision", "DecisionValue", "IdempotentRequest", "Waiver"]
