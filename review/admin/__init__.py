"""The admin's pages of who decides."""

from review.admin.breaks import BreakAdmin
from review.admin.bulk import BulkDecisionAdmin
from review.admin.decisions import DecisionAdmin
from review.admin.exports import ExportAdmin
from review.admin.incidents import IncidentAdmin
from review.admin.proposals import MappingProposalAdmin
from review.admin.repairs import RepairAdmin
from review.admin.runs import RunAdmin
from review.admin.said import CommentAdmin, HoldAdmin
from review.admin.tokens import TokenAdmin

__all__ = [
    "BreakAdmin", "BulkDecisionAdmin", "CommentAdmin", "DecisionAdmin", "ExportAdmin", "HoldAdmin", "IncidentAdmin",
    "MappingProposalAdmin", "RepairAdmin", "RunAdmin", "TokenAdmin",
]  # fmt: skip
