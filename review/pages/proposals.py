"""Accepting or refusing a proposed mapping version."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from ingestion.person import person_of
from ingestion.ringing import ring_for_normalizing
from review.proposals import ProposalRefused, accept_proposal, refuse_proposal, visible_proposals


@require_POST
@permission_required("ingestion.add_mapping", raise_exception=True)
def answer_proposal(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept, and have the delivery read again; or refuse."""
    proposal = get_object_or_404(visible_proposals(request.user), pk=pk)
    comment, delivery = request.POST.get("comment", ""), proposal.normalization.delivery
    try:
        if request.POST.get("action") == "accept":
            work = accept_proposal(proposal=proposal, by=person_of(request), comment=comment)
            ring_for_normalizing(work)
            done = f"{delivery.source.title} has mapping {work.mapping.version}; the delivery is read by it."
        else:
            refuse_proposal(proposal=proposal, by=person_of(request), comment=comment)
            done = "Refused; the mapping stays as it is."
    except ProposalRefused as refused:
        messages.error(request, str(refused), extra_tags="bad")
    else:
        messages.success(request, done, extra_tags="ok")
    return redirect("delivery", delivery.pk)
