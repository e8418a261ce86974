"""The admin's pages of why not."""

from attribution.admin.corrections import CorrectionAdmin
from attribution.admin.models import ModelVersionAdmin
from attribution.admin.reasons import ReasonAdmin

__all__ = ["CorrectionAdmin", "ModelVersionAdmin", "ReasonAdmin"]
