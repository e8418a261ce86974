"""What agrees and what does not."""

from reconciliation.models.automatic_run import AutomaticRun
from reconciliation.models.break_ import PROVENANCE, Break, Difference, GateRefusal, Member
from reconciliation.models.hold import Hold
from reconciliation.models.reconciliation import Access, Reconciliation, RuleSet, Team, access_of, access_to
from reconciliation.models.retraction import Retraction
from reconciliation.models.run import OutcomeCount, OutcomeFile, Run, RunInput, RunStep
from reconciliation.models.scope import Scope, ScopeValue, TeamScope
from reconciliation.models.tally import BreakTally

__all__ = [
    "PROVENANCE",
    "Access",
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
    "Scope",
    "ScopeValue",
    "Team",
    "TeamScope",
    "access_of",
    "access_to",
]
