"""Who decides."""

from review.models.access import ApiToken, IdempotentRequest
from review.models.bulk import BulkDecision, BulkPreview, BulkRow
from review.models.bulk_answer import BulkAnswer, BulkAnswerRow
from review.models.comment import Comment, Mention
from review.models.decision import Decision, DecisionValue, Waiver
from review.models.export import Export
from review.models.figures import Figures
from review.models.inbox import AlertChoice, AlertReading
from review.models.incident import Incident, IncidentBreak, IncidentScan, SignatureCount
from review.models.preference import Preference
from review.models.view import QueueLook, SavedView

__all__ = [
    "AlertChoice",
    "AlertReading",
    "ApiToken",
    "BulkAnswer",
    "BulkAnswerRow",
    "BulkDecision",
    "BulkPreview",
    "BulkRow",
    "Comment",
    "Decision",
    "DecisionValue",
    "Export",
    "Figures",
    "IdempotentRequest",
    "Incident",
    "IncidentBreak",
    "IncidentScan",
    "Mention",
    "Preference",
    "QueueLook",
    "SavedView",
    "SignatureCount",
    "Waiver",
]
