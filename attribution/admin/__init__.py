"""The admin's pages of why not."""

from attribution.admin.corrections import CorrectionAdmin
from attribution.admin.models import CertificateAdmin, ChampionChangeAdmin, ModelVersionAdmin, TrainingAdmin
from attribution.admin.reasons import ReasonAdmin

__all__ = [
    "CertificateAdmin",
    "ChampionChangeAdmin",
    "CorrectionAdmin",
    "ModelVersionAdmin",
    "ReasonAdmin",
    "TrainingAdmin",
]
