"""The chain of the audit log: triggers number, hash and keep each event; a check names the first that is not as it was.

An event is chained as its transaction commits, under one lock that is held for the commit alone; so the sequence has no
gaps, nobody waits for a run, and no lock is taken after it. Who owns the database can switch triggers off and write the
chain anew from some event on; that shows by the anchors, signed lines in a file outside of it.
"""

import datetime as dt
import hashlib
import hmac
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from ingestion.models import AuditCheck, AuditEvent

LOCK = 0x6175  # the advisory lock's class
CHAINED = "audit_event_chained"
TABLE = "ingestion_auditevent"
LONGEST_LINE = 1024  # bytes of the anchor file
FIRST = "0" * 64  # stands before the first event
log = logging.getLogger("tieout.audit")

# An event's own text: a JSON array, as PostgreSQL writes it, of everything but the hash.
BODY = (
    "jsonb_build_array({e}.id, {e}.sequence, (extract(epoch FROM {e}.at) * 1000000)::bigint, {e}.actor_id, {e}.actor_name, "
    "{e}.action, {e}.kind, {e}.object_id, {e}.name, {e}.run, {e}.reconciliation, {e}.before::text, {e}.after::text, {e}.door, "
    "{e}.request, {e}.address)::text"
)
HASH = "encode(sha256(convert_to({before} || {body}, 'UTF8')), 'hex')"

TRIGGERS = f"""
CREATE FUNCTION audit_event_chain() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE mine {TABLE}; last {TABLE};
BEGIN
    PERFORM pg_advisory_xact_lock({LOCK}, 0);
    SELECT * INTO last FROM {TABLE} WHERE sequence IS NOT NULL ORDER BY sequence DESC LIMIT 1;
    mine := NEW;
    mine.sequence := coalesce(last.sequence, 0) + 1;
    mine.hash := {HASH.format(before=f"coalesce(last.hash, '{FIRST}')", body=BODY.format(e="mine"))};
    UPDATE {TABLE} SET sequence = mine.sequence, hash = mine.hash WHERE id = mine.id;
    RETURN NULL;
END $body$;
CREATE FUNCTION audit_event_unchained() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    NEW.sequence := NULL;
    NEW.hash := NULL;
    RETURN NEW;
END $body$;
CREATE FUNCTION audit_event_stays() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.sequence IS NULL AND OLD.hash IS NULL AND
        to_jsonb(OLD) - '{{sequence,hash}}'::text[] = to_jsonb(NEW) - '{{sequence,hash}}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE integrity_constraint_violation USING CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME,
        MESSAGE = 'audit events are written once; they are never changed or deleted';
END $body$;
CREATE TRIGGER audit_event_unchained BEFORE INSERT ON {TABLE} FOR EACH ROW EXECUTE FUNCTION audit_event_unchained();
CREATE CONSTRAINT TRIGGER {CHAINED} AFTER INSERT ON {TABLE} DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION audit_event_chain();
CREATE TRIGGER audit_event_stays BEFORE UPDATE OR DELETE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION audit_event_stays();
CREATE TRIGGER audit_event_kept BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION audit_event_stays();
"""
DROP_TRIGGERS = "".join(
    f"DROP TRIGGER {name} ON {TABLE};"
    for name in ("audit_event_unchained", CHAINED, "audit_event_stays", "audit_event_kept")
) + "".join(f"DROP FUNCTION {name}();" for name in ("audit_event_chain", "audit_event_unchained", "audit_event_stays"))


@dataclass(frozen=True)
class Anchor:
    """What a line of the anchor file holds: the newest event at a time."""

    at: str
    sequence: int
    hash: str
    signature: str

    def is_ours(self) -> bool:
        """Whether this installation signed it, with its key of today or one of SECRET_KEY_FALLBACKS."""
        keys = map(str, [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])
        return any(
            hmac.compare_digest(self.signature, _signature(self.at, self.sequence, self.hash, key)) for key in keys
        )


def _signature(at: str, sequence: int, hash_: str, key: str) -> str:
    return hmac.new(
        f"tieout audit anchor {key}".encode(), f"{at} {sequence} {hash_}".encode(), hashlib.sha256
    ).hexdigest()


def chain_now() -> None:
    """Chain what this transaction has recorded so far; otherwise its commit does."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET CONSTRAINTS {CHAINED} IMMEDIATE")
        cursor.execute(f"SET CONSTRAINTS {CHAINED} DEFERRED")


def broken_chain() -> Iterator[str]:
    """A sentence for the first event that is not as it was written; one for events that were never chained; and what the
    anchors know that the log does not."""
    with transaction.atomic():
        chain_now()
    yield from _first_broken()
    yield from _unchained()
    yield from _against_anchors()


def _first_broken() -> Iterator[str]:
    """In order of the sequence: a number is missing, or an event's hash is not that of its text after the one before."""
    expected = HASH.format(before="e.previous", body=BODY.format(e="e"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, sequence, place FROM (SELECT a.*, row_number() OVER w AS place, "
            f"lag(hash, 1, '{FIRST}') OVER w AS previous FROM {TABLE} a WHERE sequence IS NOT NULL "
            f"WINDOW w AS (ORDER BY sequence)) AS e WHERE sequence <> place OR hash IS DISTINCT FROM {expected} "
            "ORDER BY sequence LIMIT 1"
        )
        for pk, sequence, place in cursor:
            if sequence > place:
                one = f"Audit event {place} was deleted by hand."
                yield one if sequence == place + 1 else f"Audit events {place} to {sequence - 1} were deleted by hand."
            else:
                yield f"Audit event {sequence} (row {pk}) was changed, moved or added by hand."


def _unchained() -> Iterator[str]:
    for pk in AuditEvent.objects.filter(sequence=None).order_by("pk").values_list("pk", flat=True)[:1]:
        yield f"Audit event of row {pk} was added by hand: it is not in the chain."


def _against_anchors() -> Iterator[str]:
    """The first anchor that the log does not bear out."""
    held = list(anchors())
    hashes = dict(AuditEvent.objects.filter(sequence__in=[it.sequence for it in held]).values_list("sequence", "hash"))
    for anchor in held:
        if not anchor.is_ours():
            yield f"The anchor of {anchor.at} in {anchor_file()} was not written by this installation."
            return
        if anchor.sequence and hashes.get(anchor.sequence) != anchor.hash:
            yield _unlike(anchor)
            return


def _unlike(anchor: Anchor) -> str:
    newest = newest_event()[0]
    if newest < anchor.sequence:
        return (
            f"The audit log ends at event {newest}; the anchor of {anchor.at} saw event {anchor.sequence}. "
            f"Events {newest + 1} to {anchor.sequence} were cut off."
        )
    return f"Audit event {anchor.sequence} has another hash than the anchor of {anchor.at} saw: the chain was written anew."


def newest_event() -> tuple[int, str]:
    """The sequence and hash of the newest event; 0 and an empty text before the first."""
    chained = AuditEvent.objects.filter(sequence__isnull=False).order_by("-sequence")
    return chained.values_list("sequence", "hash").first() or (0, "")  # type: ignore[return-value]


def check_chain(now: dt.datetime | None = None) -> AuditCheck:
    """Look at the whole chain and write down what was found."""
    sequence, hash_ = newest_event()
    problem = next(broken_chain(), "")
    return AuditCheck.objects.create(at=now or timezone.now(), sequence=sequence, hash=hash_, problem=problem)


def drop_anchor(check: AuditCheck) -> Anchor:
    """Write what a check has found whole to the log and the anchor file, both outside of the database."""
    at = check.at.astimezone(dt.UTC).isoformat(timespec="seconds")
    signature = _signature(at, check.sequence, check.hash, settings.SECRET_KEY)
    anchor = Anchor(at, check.sequence, check.hash, signature)
    line = f"{anchor.at} {anchor.sequence} {anchor.hash or '-'} {anchor.signature}"
    log.info("Audit anchor %s", line)
    anchor_file().parent.mkdir(parents=True, exist_ok=True)
    with anchor_file().open("a", encoding="ascii") as file:
        file.write(f"{line}\n")
        file.flush()
        os.fsync(file.fileno())
    return anchor


def anchor_file() -> Path:
    """Where the anchors stand, a line each."""
    return Path(settings.AUDIT_ANCHORS)


def anchors() -> Iterator[Anchor]:
    """The anchors in the order of the file; a line that is none comes as one that nobody signed."""
    if not anchor_file().is_file():
        return
    for line in anchor_file().read_text(encoding="utf-8", errors="replace").splitlines():
        yield _anchor(line)


def _anchor(line: str) -> Anchor:
    at, sequence, hash_, signature = [*line.split(" "), "", "", "", ""][:4]
    is_number = sequence.isascii() and sequence.isdigit() and len(sequence) < 19
    return Anchor(at, int(sequence) if is_number else 0, hash_.replace("-", ""), signature)


def last_anchor() -> Anchor | None:
    """The newest anchor, read from the end of the file."""
    if not anchor_file().is_file():
        return None
    with anchor_file().open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - LONGEST_LINE))
        lines = file.read().decode("ascii", "replace").splitlines()
    return _anchor(lines[-1]) if lines else None


def told_of_chain() -> Iterator[str]:
    """How far the log goes, and what the last anchor saw, as a note."""
    sequence, hash_ = newest_event()
    if sequence:
        yield f"{sequence:,} audit events; the newest has hash {hash_[:16]}."
    last = last_anchor()
    yield (
        f"The last anchor, of {last.at}, saw event {last.sequence}."
        if last
        else f"No anchor stands in {anchor_file()} yet."
    )
