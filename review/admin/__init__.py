"""The admin's pages of who decides."""

from review.admin.breaks import BreakAdmin
from review.admin.decisions import DecisionAdmin

__all__ = ["BreakAdmin", "DecisionAdmin"]
