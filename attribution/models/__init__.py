"""Why not: reasons, attributions, corrections, models."""

from attribution.models.attribution import Attribution, Candidate
from attribution.models.audit import AuditAnswer, AuditReason
from attribution.models.certificate import Certificate
from attribution.models.champion_change import ChampionChange
from attribution.models.correction import Correction, SecondOpinion
from attribution.models.draw import Draw, DrawSeed
from attribution.models.gate_step import GateStep
from attribution.models.model_version import ModelVersion
from attribution.models.reason import Reason
from attribution.models.run_drift import RunDrift
from attribution.models.training import Training

__all__ = [
    "Attribution",
    "AuditAnswer",
    "AuditReason",
    "Candidate",
    "Certificate",
    "ChampionChange",
    "Correction",
    "Draw",
    "DrawSeed",
    "GateStep",
    "ModelVersion",
    "Reason",
    "SecondOpinion",
    "RunDrift",
    "Training",
]
