"""The admin's pages of who decides."""

from review.admin.breaks import BreakAdmin
from review.admin.bulk import BulkDecisionAdmin
from review.admin.decisions import DecisionAdmin
from review.admin.exports import ExportAdmin
from review.admin.repairs import RepairAdmin
from review.admin.tokens import TokenAdmin

__all__ = ["BreakAdmin", "BulkDecisionAdmin", "DecisionAdmin", "ExportAdmin", "RepairAdmin", "TokenAdmin"]
