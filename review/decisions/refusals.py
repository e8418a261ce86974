"""Why a decision cannot be."""

import datetime as dt

from review.models import Decision
from review.models.decision import DONE


class DecisionRefused(Exception):
    """A decision that cannot be; the text says what holds it, and what would help."""


class OwnProposal(DecisionRefused):
    """Who proposed it may not confirm it, whatever else they may."""


class StoreBusy(DecisionRefused):
    """A run holds the record's place in the store for longer than a person waits; in `retry_after` seconds it may have ended."""

    retry_after = 30


class AlreadyDecided(DecisionRefused):
    """Someone else decided first, or the values changed since they were looked at. `decision` is what was decided, if anything."""

    def __init__(self, sentence: str, decision: Decision | None = None) -> None:
        """Say what happened, and by which decision."""
        super().__init__(sentence)
        self.decision = decision


def told_of(decision: Decision) -> str:
    """By whom it was done, what and when: `by anna: approved, 20 Nov 2026 12:31 UTC`."""
    at, by = decision.confirmed_at or decision.proposed_at, decision.confirmed_by or decision.proposed_by
    return f"by {by}: {DONE[decision.action][0].lower()}, {at.astimezone(dt.UTC):%-d %b %Y %H:%M} UTC"
