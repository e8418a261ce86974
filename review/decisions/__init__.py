"""Decisions: what a person does with a break."""

from review.decisions.checks import Action, may_decide
from review.decisions.confirming import confirm, withdraw
from review.decisions.deciding import decide
from review.decisions.refusals import AlreadyDecided, DecisionRefused, OwnProposal, StoreBusy
from review.decisions.voiding import void_stale
from review.decisions.waiving import waive

__all__ = [
    "Action",
    "AlreadyDecided",
    "DecisionRefused",
    "OwnProposal",
    "StoreBusy",
    "confirm",
    "decide",
    "may_decide",
    "void_stale",
    "waive",
    "withdraw",
]
