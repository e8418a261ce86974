"""Applying a definition for a person: only what their roles allow, and only in their teams."""

from collections.abc import Sequence
from pathlib import Path

from django.contrib.auth.models import User
from django.db import transaction

from config.definitions.apply import apply_definition
from config.definitions.faults import BadDefinition, Fault
from config.definitions.yaml_text import read_yaml
from ingestion.changes import Change
from reconciliation.models import Reconciliation

# What somebody who may write any definition at all has one of.
WRITERS = ("reconciliation.change_reconciliation", "ingestion.change_source", "ingestion.change_recordtype")


def may_define(user: User) -> bool:
    """Whether a person may apply definitions, as far as their roles allow."""
    return any(user.has_perm(right) for right in WRITERS)


@transaction.atomic
def define_as(user: User, text: str, folder: Path, *, dry_run: bool) -> Sequence[Change]:
    """What a definition changes. BadDefinition has a fault for each change that the person may not make; nothing of it
    is applied then, nor in a dry run."""
    _stay_in_teams(user, text)
    said = apply_definition(text, folder, by=user.get_username())
    refused = [change for change in said if not user.has_perm(change.permission)]
    if refused:
        raise BadDefinition(
            [Fault("", f"{change}. You may not do that: it needs the right {change.permission}") for change in refused]
        )
    transaction.set_rollback(dry_run)
    return said


def _stay_in_teams(user: User, text: str) -> None:
    """Reconciliations of other teams, and the sources that only those use, are theirs."""
    document = read_yaml(text)
    others = Reconciliation.objects.exclude(pk__in=Reconciliation.objects.visible_to(user)).select_related("a", "b")
    mine = {pk for pair in Reconciliation.objects.visible_to(user).values_list("a", "b") for pk in pair}
    faults = []
    for section, codes in (
        ("reconciliations", {it.code for it in others}),
        ("sources", {source.code for it in others for source in (it.a, it.b) if source.pk not in mine}),
    ):
        given = document.get(section)
        for code in sorted(codes & set(given if isinstance(given, dict) else ())):
            faults.append(Fault(f"{section}.{code}", "another team works on it; somebody of that team must apply this"))
    if faults:
        raise BadDefinition(faults)
