"""Why not: reasons, attributions, corrections, models."""

from attribution.models.attribution import Attribution, Candidate
from attribution.models.correction import Correction
from attribution.models.model_version import Certificate, ModelVersion
from attribution.models.reason import Reason

__all__ = ["Attribution", "Candidate", "Certificate", "Correction", "ModelVersion", "Reason"]
