"""A journey as a signed file: made, recorded, and compared with what the database says now."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from reconciliation.models import Reconciliation
from review.exporting import MAY, ExportRefused, Wanted, record_export
from review.journey import Journey, journey
from review.journey_events import Event
from review.models import Export
from review.signed_journey import chained, signed
from review.signing import signing_key

COMPARED = ("at", "title", "detail", "who", "lines", "changes", "hash")


def sign_journey(*, reconciliation: Reconciliation, key: str, by: User) -> tuple[Export, bytes]:
    """A key's journey as a signed file, and the row that records who took it. ExportRefused without the right, or where no row
    bears the key; NoSigningKey where the server cannot sign."""
    if not by.has_perm(MAY):
        raise ExportRefused("Exporting needs a role. Ask an Administrator.")
    private, told = signing_key(), journey(reconciliation, key)
    if not told.events:
        raise ExportRefused("No row with this key was delivered. Keys are compared after cleaning, exactly as written.")
    document = signed(_document(reconciliation, key, told, by), private)
    content = (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "journey.json"
        file.write_bytes(content)
        wanted = Wanted("journey", "json", {"reconciliation": reconciliation.code, "key": key})
        return record_export(wanted, file, len(told.events), by), content


def _document(reconciliation: Reconciliation, key: str, told: Journey, by: User) -> dict[str, Any]:
    return {
        "reconciliation": reconciliation.code,
        "key": key,
        "made_at": timezone.now().isoformat(),
        "made_by": by.get_username(),
        "state": told.state,
        "events": chained([event_document(event) for event in told.events]),
        "stored": told.stored,
    }


def event_document(event: Event) -> dict[str, Any]:
    """An event as JSON: texts, lists of texts, nulls."""
    changes = [{"name": it.name, "before": it.before, "after": it.after, "how": it.how} for it in event.changes]
    return {
        "name": event.name,
        "what": event.what,
        "at": event.at.isoformat(),
        "title": event.title,
        "detail": event.detail,
        "who": event.who,
        "lines": list(event.lines),
        "changes": changes,
        "heads": list(event.heads) if changes else [],
        "hash": event.hash,
        "hash_of": event.hash_of,
        "url": event.url,
    }


def compare_with_database(document: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """What the database tells otherwise than a document, and what it tells beside it: both as sentences."""
    told = document["journey"]
    reconciliation = Reconciliation.objects.filter(code=told["reconciliation"]).select_related("a__record_type").first()
    if reconciliation is None:
        return [f"The database has no reconciliation {told['reconciliation'][:41]!r}."], []
    now = {it.name: event_document(it) for it in journey(reconciliation, told["key"]).events}
    wrong: list[str] = []
    notes: list[str] = []
    for event in told["events"]:
        said, beside = _compared(event, now.pop(str(event.get("name")), None))
        wrong += said
        notes += beside
    if later := list(now.values()):
        notes.append(f"The database has {len(later)} more events, such as: {later[-1]['title']}.")
    return wrong, notes


def _compared(event: Mapping[str, Any], now: Mapping[str, Any] | None) -> tuple[Sequence[str], Sequence[str]]:
    name = f"Event {event.get('number')} ({str(event.get('title', ''))[:80]})"
    if now is None:
        return [f"{name} is not in the database."], []
    if event.get("lines") and not now["lines"]:  # a source keeps its raw bytes for a time
        return [], [f"The raw line of event {event.get('number')} is no longer kept; its sha256 is."]
    other = [it for it in COMPARED if event.get(it) != now[it]]
    return [f"{name} reads otherwise in the database: {', '.join(other)}."] if other else [], []
