"""What a model's page shows of its grounds: its certificates, and who trained, promoted and rolled back, because of what."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from attribution.models import Certificate, ChampionChange, ModelVersion
from attribution.rungs import LADDER
from reconciliation.models import Reconciliation
from reconciliation.rules import GateRules

SHOWN = 30


@dataclass(frozen=True)
class Rung:
    """A bound of the ladder with its certificate, if there is one: whether it counts, and why or why not."""

    bound: Decimal
    certificate: Certificate | None
    is_valid: bool
    words: str


def rungs(model: ModelVersion, gate: GateRules) -> list[Rung]:
    """The ladder, from the laxest bound to the strictest."""
    found = {it.bound: it for it in model.certificates.all()}
    return [_rung(bound, found.get(bound), model, gate) for bound in LADDER]


def _rung(bound: Decimal, certificate: Certificate | None, model: ModelVersion, gate: GateRules) -> Rung:
    if certificate is None:
        return Rung(bound, None, is_valid=False, words=_why_none(model, gate))
    now = timezone.now()
    if certificate.valid_until <= now:
        return Rung(bound, certificate, is_valid=False, words=f"Ended {certificate.valid_until:%-d %b %Y}.")
    if certificate.made_at > now:
        return Rung(bound, certificate, is_valid=False, words="Made later than now: a clock went back.")
    return Rung(bound, certificate, is_valid=True, words=f"Valid until {certificate.valid_until:%-d %b %Y}.")


def _why_none(model: ModelVersion, gate: GateRules) -> str:
    from attribution.held_out import FROM_LABELS  # only this page waits for its libraries

    if model.labels < FROM_LABELS:
        return f"{FROM_LABELS} labels at least are needed; it had {model.labels:,}."
    if not gate.budget:
        return "The gate has no error budget, so no labels were held out to certify."
    sample = model.metrics.get("sample") or {}
    if not sample.get("is_drawn"):
        return "The labels held out do not prove it."
    records = sample["records"]
    return f"Since records pass, only those count that chance drew: {records:,} were held out, too few or too wrong to prove it."


@dataclass(frozen=True)
class Event:
    """A step of a reconciliation's models."""

    at: dt.datetime
    glyph: str
    title: str
    who: str
    because: str


def registry_history(reconciliation: Reconciliation) -> list[Event]:
    """Trainings, promotions and ways back, newest first."""
    trained = reconciliation.model_versions.order_by("-version")[:SHOWN]
    changes = ChampionChange.objects.filter(reconciliation=reconciliation)[:SHOWN]
    events = [*map(_training, trained), *map(_change, changes)]
    return sorted(events, key=lambda it: it.at, reverse=True)[:SHOWN]


def _training(model: ModelVersion) -> Event:
    title = f"Model {model.version} trained on {model.labels:,} labels"
    return Event(model.trained_at, "spark", title, model.trained_by, model.trained_because)


def _change(change: ChampionChange) -> Event:
    who = f"Model {change.version}" if change.version else "The provers"
    before = f"model {change.before}" if change.before else "the provers"
    if change.verb == ChampionChange.Verb.ROLL_BACK:
        return Event(change.at, "left", f"Rolled back from {before}: {_lower(who)} again", change.by, change.comment)
    because = change.comment or ("The rule allows it." if change.allowed else "")
    return Event(change.at, "check", f"{who} promoted in the place of {before}", change.by, because)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
