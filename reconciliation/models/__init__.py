"""What agrees and what does not."""

from reconciliation.models.automatic_run import AutomaticRun
from reconciliation.models.break_ import PROVENANCE, Break, Difference, GateRefusal, Member
from reconciliation.models.hold import Hold
from reconciliation.models.reconciliation import Reconciliation, RuleSet, Team
from reconciliation.models.retraction import Retraction
from reconciliation.models.run import OutcomeCount, OutcomeFile, Run, RunInput, RunStep
from reconciliation.models.tally import BreakTally

__all__ = [
    "PROVENANCE",
    "AutomaticRun",
    "Break",
    "BreakTally",
    "Difference",
    "GateRefusal",
    "Hold",
    "Member",
    "OutcomeCount",
    "OutcomeFile",
    "Reconciliation",
    "Retraction",
    "RuleSet",
    "Run",
    "RunInput",
    "RunStep",
    "Team",
]
