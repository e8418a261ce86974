"""The events that alerts tell of: what each is called, and how people hear of it when they chose nothing."""

from dataclasses import dataclass

from review.models import AlertChoice

Mail = AlertChoice.Mail


@dataclass(frozen=True)
class Event:
    """An event. `glyph` and `tone` are those of its line; `mail` is how it is told by itself."""

    code: str
    title: str
    says: str
    glyph: str = "alert"
    tone: str = "warn"
    mail: str = Mail.DIGEST.value


AT_ONCE = Mail.IMMEDIATE.value
EVENTS = {
    event.code: event
    for event in (
        Event("comment.mention", "Mention", "Somebody names you in a comment.", "chat", "", AT_ONCE),
        Event("break.assigned", "Assignment", "Breaks are assigned to you.", "user", "", AT_ONCE),
        Event("break.overdue", "Over time", "Breaks of your team wait longer than agreed.", "clock", "bad"),
        Event("break.returned", "Back from hold", "Breaks that you put on hold wait again.", "clock", ""),
        Event("proposal.void", "Proposal void", "Values changed under your proposal.", "flag", "warn", AT_ONCE),
        Event("export.ready", "Export ready", "A file that you asked for is made.", "download", "ok", Mail.NONE.value),
        Event("run.failed", "Run failed", "A run ended without a result.", "x", "bad", AT_ONCE),
        Event("delivery.missing", "Delivery missing", "A delivery is not there by its deadline.", "alert", "bad"),
        Event("delivery.late", "Delivery late", "A delivery came after its deadline.", "clock", "warn"),
        Event("delivery.mismatch", "Control totals", "A delivery does not agree with its totals.", "alert", "bad"),
        Event("delivery.quarantined", "Quarantine", "Rows of a delivery are no records.", "file", "warn"),
        Event("gate.closed", "Gate closed", "Nothing that differs passes any more.", "gate", "bad", AT_ONCE),
        Event("gate.stepped", "Gate stricter", "A gate went to a stricter bound.", "gate", "warn", AT_ONCE),
        Event("gate.warned", "Gate warns", "Audits found more wrong than expected.", "gate", "warn"),
        Event("model.unreadable", "Model silent", "A model that has to speak cannot.", "spark", "bad", AT_ONCE),
        Event("model.drift", "Model drift", "Runs moved away from what a model learned.", "spark", "warn"),
        Event("audit.broken", "Audit log broken", "The chain of the audit log does not hold.", "alert", "bad", AT_ONCE),
    )
}


def event_of(code: str) -> Event:
    """An event by its code; one that nobody listed is told by its code."""
    return EVENTS.get(code) or Event(code, code, "")
