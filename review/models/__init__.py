"""Who decides."""

from review.models.access import ApiToken, IdempotentRequest
from review.models.bulk import BulkDecision, BulkPreview, BulkRow
from review.models.decision import Decision, DecisionValue, Waiver
from review.models.export import Export

__all__ = [
    "ApiToken",
    "BulkDecision",
    "BulkPreview",
    "BulkRow",
    "Decision",
    "DecisionValue",
    "Export",
    "IdempotentRequest",
    "Waiver",
]
