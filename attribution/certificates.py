"""Certificates at work: written with a model, pinned by a run, and what they let a budgeted gate say."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from django.utils import timezone

from attribution.models import Certificate, ModelVersion
from attribution.registry import champion_of, pinned_version
from attribution.rungs import working_bound
from ingestion import custody
from reconciliation.gate import Condition, covered, uncertified
from reconciliation.models import Reconciliation, RuleSet, Run
from reconciliation.rules import Rules
from reconciliation.runs import Pinned

if TYPE_CHECKING:
    from attribution.held_out import Proven

VALID = dt.timedelta(days=30)  # a certificate is about the past
DELTA = Decimal("0.05")
PLACES = Decimal("0.0000001")


@dataclass(frozen=True)
class Warrant:
    """What a budgeted gate leans on: records whose score reaches `threshold` are covered. Without a threshold none is, and
    `words` say why. `reasons`: those that the certificate speaks for, each from which score on."""

    budget: str
    words: str
    threshold: Decimal | None = None
    reasons: Mapping[str, Decimal] | None = None

    def condition(self, *, is_covered: bool) -> Condition:
        """What the gate says of a record."""
        if self.threshold is None:
            return uncertified(self.budget, self.words)
        return Condition("certificate", covered(self.budget), holds=is_covered, detail=self.words)


def issue_certificates(model: ModelVersion, proven: "Sequence[Proven]") -> list[Certificate]:
    """Write what held-out labels proved of a new model."""
    now = timezone.now()
    made = [
        Certificate.objects.create(
            model_version=model,
            bound=it.bound,
            threshold=_exact(it.found.threshold),
            sample_size=it.found.sample,
            errors=it.found.errors,
            upper=min(Decimal(str(it.found.upper)).quantize(PLACES, ROUND_CEILING), it.bound),
            delta=DELTA,
            held_out=it.held_out,
            first_day=it.days[0],
            last_day=it.days[1],
            sample_sha256=it.sample_sha256,
            money=it.money,
            reasons={reason: str(_exact(score)) for reason, score in it.reasons.items()},
            made_at=now,
            valid_until=now + VALID,
        )
        for it in proven
    ]
    custody.seal(made)
    return made


def _exact(score: float) -> Decimal:
    return Decimal(str(score)).quantize(PLACES)


def pinned(reconciliation: Reconciliation, rule_set: RuleSet) -> Pinned:
    """What a run that starts now writes down of its model and its certificate: one of the bound that the audits leave in
    force."""
    budget = Rules(rule_set.document).gate.budget
    bound = working_bound(reconciliation, Decimal(budget)) if budget else None
    found = certificate_for(reconciliation, bound) if bound is not None else None
    return Pinned(pinned_version(reconciliation), found.pk if found else None)


def certificate_for(reconciliation: Reconciliation, bound: Decimal) -> Certificate | None:
    """The champion's valid certificate whose bound is the laxest that keeps this one."""
    champion = champion_of(reconciliation)
    return valid_certificate(champion, bound) if champion else None


def valid_certificate(model: ModelVersion, bound: Decimal) -> Certificate | None:
    """A model's valid certificate whose bound is the laxest that keeps this one."""
    now = timezone.now()
    kept = model.certificates.filter(bound__lte=bound, made_at__lte=now, valid_until__gt=now)
    return kept.order_by("-bound").first()


def warrant_of(run: Run, rules: Rules) -> Warrant | None:
    """What a run's budgeted gate leans on now; None where there is no budget."""
    budget = rules.gate.budget
    if not budget:
        return None
    if run.certificate is None:
        return Warrant(budget, _why_none(run))
    found = certificate_of(run)
    if found is None:
        return Warrant(budget, f"certificate {run.certificate} is no longer in the registry")
    if found.valid_until <= timezone.now():
        return Warrant(budget, f"the certificate of {found} ended on {found.valid_until:%-d %B %Y}")
    bound = working_bound(run.reconciliation, Decimal(budget))
    if bound is None or found.bound > bound:
        return Warrant(budget, f"the audits moved the gate since; {found} no longer counts")
    return Warrant(budget, told(found), found.threshold, found.starts)


def certificate_of(run: Run) -> Certificate | None:
    """The certificate that a run pinned."""
    return Certificate.objects.filter(pk=run.certificate or 0).select_related("model_version__reconciliation").first()


def told(certificate: Certificate) -> str:
    """What a certificate says, in one line."""
    return (
        f"{certificate.model_version}: from {certificate.threshold * 100:.1f} % on at most {certificate.upper * 100:.1f} % are "
        f"wrong ({certificate.errors} of {certificate.sample_size:,}), until {certificate.valid_until:%-d %B %Y}"
    )


def _why_none(run: Run) -> str:
    if not run.model_version:
        return "no model speaks in this run"
    return f"model {run.model_version} held none that was valid when the run began"
