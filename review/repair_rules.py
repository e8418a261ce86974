"""Who may say what of a quarantined row, and when. One answer and many go by these rules, in these sentences."""

from collections.abc import Callable, Iterable

from django.contrib.auth.models import User

from ingestion.models import Repair
from reconciliation.models import Reconciliation
from review.nul import NO_NUL

REPAIRS, CONFIRMS = "ingestion.add_repair", "ingestion.change_repair"


class RepairRefused(Exception):
    """A repair that cannot be; the text says what holds it, and what would help. Nothing was written."""


class AlreadySaid(RepairRefused):
    """Somebody said something of this row first."""


def check_right(by: User) -> None:
    """RepairRefused for who may not say anything of a row."""
    if not by.has_perm(REPAIRS):
        raise RepairRefused("Analysts, Supervisors and Managers repair rows. Ask one of them.")


def check_right_to_confirm(by: User) -> None:
    """RepairRefused for who may confirm nothing, whoever proposed it."""
    if not by.has_perm(CONFIRMS):
        raise RepairRefused("A Supervisor or a Manager confirms a proposal.")


def check_comment(comment: str, *, needed: bool = True) -> None:
    """RepairRefused for one that is missing, or cannot be kept."""
    if needed and not comment.strip():
        raise RepairRefused("Say why in the comment; it stays with the row.")
    if "\0" in comment:
        raise RepairRefused(NO_NUL)


def check_unsaid(standing: Repair | None) -> None:
    """AlreadySaid where something stands about a row."""
    if standing is None:
        return
    who = standing.confirmed_by or standing.proposed_by
    if standing.delivery_id is not None:
        raise AlreadySaid(f"This row was repaired by {who} and replayed as delivery {standing.delivery_id}.")
    raise AlreadySaid(f"{standing.told} by {who} already. Withdraw that first.")


def check_confirms(repair: Repair, by: User) -> None:
    """RepairRefused where a user may not confirm it, AlreadySaid where it is no open proposal."""
    check_right_to_confirm(by)
    if repair.withdrawn:
        raise AlreadySaid("This proposal is no longer open.")
    if repair.confirmed_by_id is not None:
        raise AlreadySaid(f"{repair.told} by {repair.confirmed_by} already.")
    if repair.proposed_by_id == by.pk:
        raise RepairRefused("Nobody confirms their own proposal. Another person must.")


def check_withdraws(repair: Repair, by: User) -> None:
    """RepairRefused where a user may not take it back, AlreadySaid where it does not stand, or a record was made of it."""
    check_right(by)
    if repair.withdrawn:
        raise AlreadySaid("This was withdrawn before. Look at the row again.")
    if repair.delivery_id is not None:
        raise AlreadySaid(
            f"The row was replayed as delivery {repair.delivery_id}, which stays. Have the source deliver its record anew."
        )
    if repair.proposed_by_id != by.pk and not by.has_perm(CONFIRMS):
        raise RepairRefused(f"{repair.proposed_by}, a Supervisor or a Manager withdraws this.")


def allows(rule: Callable[[Repair, User], None], repair: Repair | None, by: User) -> bool:
    """Whether a rule lets a user do so with what stands about a row; with nothing nobody does anything."""
    if repair is None:
        return False
    try:
        rule(repair, by)
    except RepairRefused:
        return False
    return True


def needing_second(sources: Iterable[int]) -> set[int]:
    """Those ids of sources of which a reconciliation asks for four eyes, so that a second person confirms."""
    pairs = Reconciliation.objects.filter(four_eyes=True).values_list("a", "b")
    return {pk for pair in pairs for pk in pair} & set(sources)
