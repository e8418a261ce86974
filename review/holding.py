"""Putting a break on hold, and taking it off."""

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ingestion import custody
from ingestion.audit_log import record_event
from reconciliation.custody import seal_breaks
from reconciliation.holds import HELD, HELD_ANEW, TAKEN_OFF, end_hold
from reconciliation.models import Break, Hold
from review.decisions.locks import lock_break
from review.decisions.refusals import AlreadyDecided, DecisionRefused
from review.nul import NO_NUL
from review.rights import DECIDES

LONGEST = 366  # days
LONGEST_PARTY, LONGEST_NOTE = 200, 4000


class HoldRefused(DecisionRefused):
    """A hold that cannot be; the text says why. Nothing was written."""


@transaction.atomic
def hold(*, brk: Break, by: User, note: str, until: dt.date | None = None, party: str = "") -> Hold:
    """Put a break on hold until a day begins (UTC), or until a named party answers, or both; a hold that stands ends. HoldRefused
    says what is missing."""
    now, note, party = timezone.now(), note.strip(), party.strip()
    check_hold(note, until, party, now)
    brk = _open(brk, by)
    end_hold(brk, HELD_ANEW, by.pk)
    made = Hold.objects.create(
        brk=brk, note=note, party=party, band=brk.band, held_by=by, held_at=now,
        until=dt.datetime.combine(until, dt.time(), dt.UTC) if until else None,
    )  # fmt: skip
    brk.band = HELD
    brk.save(update_fields=["band"])
    custody.seal([made])
    seal_breaks([brk.pk])
    said: dict[str, object] = {"until": until and until.isoformat(), "party": party or None, "note": note}
    _record("break.held", brk, by, said)
    return made


@transaction.atomic
def release(*, brk: Break, by: User) -> Break:
    """Take a break off hold. AlreadyDecided where it is on none any more."""
    brk = _open(brk, by)
    if brk.band != HELD:
        raise AlreadyDecided("This break is not on hold any more.")
    end_hold(brk, TAKEN_OFF, by.pk)
    _record("break.released", brk, by, {"because": TAKEN_OFF})
    return brk


def check_hold(note: str, until: dt.date | None, party: str, now: dt.datetime) -> None:
    """HoldRefused for what is missing of a hold, whatever the break."""
    if "\0" in note + party:
        raise HoldRefused(NO_NUL)
    if not note:
        raise HoldRefused("Say in a note why it has to wait.")
    if len(note) > LONGEST_NOTE or len(party) > LONGEST_PARTY:
        raise HoldRefused(f"A note has at most {LONGEST_NOTE:,} characters, a party {LONGEST_PARTY}.")
    if until is None and not party:
        raise HoldRefused("Give the day on which it returns, or name whose answer is awaited.")
    if until is not None and not 0 < (until - now.date()).days <= LONGEST:
        raise HoldRefused(f"It returns on a day after today, at most {LONGEST} days from now; {until} is not.")


def day_of(text: str) -> dt.date | None:
    """A day as a form gives it, none for an empty one; HoldRefused for what is none."""
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise HoldRefused(f"{text[:20]!r} is no day such as 2026-12-03.") from None


def _open(brk: Break, by: User) -> Break:
    """The break as it stands, locked; it has to be in review."""
    if not by.has_perm(DECIDES):
        raise HoldRefused("Analysts, Supervisors and Managers put breaks on hold. Ask one of them.")
    held = lock_break(brk.pk, stores=False)
    if held.state != Break.State.REVIEW:
        raise AlreadyDecided(f"This break is {held.get_state_display().lower()}; there is nothing to wait for.")
    return held


def _record(action: str, brk: Break, by: User, after: dict[str, object]) -> None:
    record_event(
        action, of=brk, by=by, name=f"{brk.reconciliation} {brk.key}", run=brk.last_run_id,
        reconciliation=brk.reconciliation_id, after={name: it for name, it in after.items() if it},
    )  # fmt: skip
