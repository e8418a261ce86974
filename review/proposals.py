"""Proposed mapping versions: a person accepts or refuses what a delivery with other columns asks for."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ingestion import custody
from ingestion.audit_log import record_event
from ingestion.changes import wait_for_turn
from ingestion.deliveries import plan_normalization
from ingestion.history import write_as
from ingestion.mapping_versions import change_mapping
from ingestion.models import MappingProposal, Normalization, Source
from ingestion.work import retry
from reconciliation.visibility import visible_sources
from review.nul import NO_NUL_IN_COMMENT
from review.recorded import only_user

State = MappingProposal.State


class ProposalRefused(Exception):
    """An answer that cannot be; the text says what holds it, and what would help. Nothing was written."""


class AlreadyAnswered(ProposalRefused):
    """Somebody answered first, or the mapping changed since."""


def visible_proposals(user: AbstractBaseUser | AnonymousUser) -> QuerySet[MappingProposal]:
    """The proposals for sources that the user may see."""
    seen = MappingProposal.objects.filter(normalization__delivery__source__in=visible_sources(user))
    return seen.select_related(
        "normalization__delivery__source", "normalization__mapping", "accepted_as", "decided_by"
    ).order_by("-id")


@transaction.atomic
def accept_proposal(*, proposal: MappingProposal, by: User, comment: str = "") -> Normalization:
    """Make the proposed mapping the source's next version, and have the delivery read by it."""
    proposal, source = _open(proposal, by)
    current = source.current_mapping()
    if current.pk != proposal.normalization.mapping_id:
        raise AlreadyAnswered(
            f"{source.title} has mapping {current.version} by now, and this was proposed for mapping "
            f"{proposal.normalization.mapping.version}. Read the delivery again by the new one, or refuse this."
        )
    write_as(by.get_username())
    change_mapping(source, proposal.document, by=by.get_username())
    proposal.accepted_as = source.current_mapping()
    _answer(proposal, State.ACCEPTED, by, comment)
    work = plan_normalization(proposal.normalization.delivery)
    retry(work)
    return work


@transaction.atomic
def refuse_proposal(*, proposal: MappingProposal, by: User, comment: str = "") -> MappingProposal:
    """Let the mapping be as it is; the delivery stays as it stands."""
    proposal, _ = _open(proposal, by)
    _answer(proposal, State.REFUSED, by, comment)
    return proposal


def _open(proposal: MappingProposal, by: User) -> tuple[MappingProposal, Source]:
    """The proposal and its source, after whoever changes a mapping has ended."""
    if not by.has_perm("ingestion.add_mapping"):
        raise ProposalRefused("Administrators change mappings. Ask one of them.")
    wait_for_turn()
    source = Source.objects.get(pk=proposal.normalization.delivery.source_id)
    proposal = MappingProposal.objects.select_related("normalization__mapping", "normalization__delivery").get(
        pk=proposal.pk
    )
    if proposal.state != State.OPEN:
        raise AlreadyAnswered(f"This proposal was {proposal.state} by {proposal.decided_by} already.")
    return proposal, source


def _answer(proposal: MappingProposal, state: str, by: User, comment: str) -> None:
    if "\0" in comment:
        raise ProposalRefused(NO_NUL_IN_COMMENT)
    proposal.state, proposal.decided_by, proposal.decided_at = state, by, timezone.now()
    proposal.comment = comment.strip()
    proposal.save(update_fields=["state", "decided_by", "decided_at", "comment", "accepted_as"])
    custody.seal([proposal])
    source, current = proposal.normalization.delivery.source, proposal.normalization.mapping
    accepted = state == State.ACCEPTED
    record_event(
        "mapping.accepted" if accepted else "mapping.refused", of=proposal, by=by, name=f"{source}: {proposal}",
        reconciliation=only_user(source), before={"mapping": current.version, "document": current.document},
        after={"mapping": proposal.accepted_as.version, "document": proposal.document, "comment": proposal.comment}  # type: ignore[union-attr]
        if accepted else {"comment": proposal.comment},
    )  # fmt: skip
