"""Saved views of the queue: a query with its order and columns under a name, a person's own or a team's."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from ingestion.audit_log import record_event
from ingestion.suggestion import nearest_end
from reconciliation.models import Team
from review.columns import BadColumn, ordered
from review.models import QueueLook, SavedView
from review.models.view import LONGEST_NAME, LONGEST_QUERY
from review.nul import NO_NUL
from review.ordering import ORDERS
from review.query import BadQuery, asked_of, known_to
from review.rights import CONFIRMS, DECIDES

LOOKS = "reconciliation.view_break"
MOST = 50  # views that a person saves


class ViewRefused(Exception):
    """A view that cannot be saved so; the text says why, `field` where. Nothing was written."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def visible_views(user: User) -> QuerySet[SavedView]:
    """One's own, and those of one's teams, by name."""
    own = Q(owner=user.pk, team=None) | Q(team__in=Team.objects.filter(members=user.pk).values("pk"))
    return SavedView.objects.filter(own)


def may_change(view: SavedView, user: User) -> bool:
    """Whether a user who sees a view may change it: its owner, and for a team who confirms decisions."""
    return view.owner_id == user.pk or (view.team_id is not None and user.has_perm(CONFIRMS))


@transaction.atomic
def save_view(
    *, by: User, name: str, query: str = "", order: str = "", columns: Sequence[str] = (), team: str = ""
) -> SavedView:
    """Save a view of one's own, or of a team by its code. ViewRefused says what is wrong, and in which field."""
    if not by.has_perm(LOOKS):
        raise ViewRefused("name", "Views are saved by who may look at breaks. Ask an Administrator for a role.")
    if SavedView.objects.filter(owner=by).count() >= MOST:
        raise ViewRefused("name", f"You have saved {MOST} views. Delete one first.")
    made = SavedView(name=_name(name), owner=by, team=_team(team, by), saved_at=timezone.now())
    _ask(made, by, query, order, columns)
    _write(made)
    record_event("view.saved", of=made, by=by, after=_told(made))
    return made


@transaction.atomic
def change_view(
    *, view: SavedView, by: User, name: str | None = None, query: str | None = None, order: str | None = None,
    columns: Sequence[str] | None = None,
) -> SavedView:  # fmt: skip
    """Rename a view, or give it another query, order, columns; what is None stays. What is so already is no event."""
    held = _held(view, by)
    before = _told(held)
    held.name = held.name if name is None else _name(name)
    _ask(
        held,
        by,
        held.query if query is None else query,
        held.order if order is None else order,
        held.columns if columns is None else columns,
    )
    if (after := _told(held)) != before:
        held.saved_at = timezone.now()
        _write(held)
        record_event("view.changed", of=held, by=by, before=before, after=after)
    return held


@transaction.atomic
def delete_view(*, view: SavedView, by: User) -> None:
    """Delete a view; who opened the queue with it opens it plain again."""
    held = _held(view, by)
    record_event("view.deleted", of=held, by=by, before=_told(held))
    held.delete()


@transaction.atomic
def choose_look(*, by: User, columns: Sequence[str] | None = None, opens_with: int | None = None) -> QueueLook:
    """How a person wants the queue. What is None stays; 0 is no view, and no columns are the usual ones."""
    look, _ = QueueLook.objects.select_for_update().get_or_create(person=by)
    if columns is not None:
        look.columns = _columns(columns)
    if opens_with is not None:
        found = visible_views(by).filter(pk=opens_with).first() if opens_with else None
        if opens_with and found is None:
            raise ViewRefused("opens_with", "This view is not there any more. Choose another one.")
        look.opens_with = found
    look.save()
    return look


def _held(view: SavedView, by: User) -> SavedView:
    held = visible_views(by).select_for_update(of=("self",)).filter(pk=view.pk).first()
    if held is None:
        raise ViewRefused("name", "This view is not there any more.")
    if not may_change(held, by):
        raise ViewRefused(
            "name", "A team's view is changed by who saved it, a Supervisor or a Manager. Save one of your own."
        )
    return held


def _name(name: str) -> str:
    name = " ".join(name.split())
    if "\0" in name:
        raise ViewRefused("name", NO_NUL)
    if not name:
        raise ViewRefused("name", "Give the view a name.")
    if len(name) > LONGEST_NAME:
        raise ViewRefused("name", f"A name has at most {LONGEST_NAME} characters; this one has {len(name)}.")
    return name


def _team(code: str, by: User) -> Team | None:
    if not code:
        return None
    if not by.has_perm(DECIDES):
        raise ViewRefused(
            "team", "A team's views are saved by Analysts, Supervisors and Managers. Save one of your own."
        )
    mine = {it.code: it for it in Team.objects.filter(members=by)}
    if code not in mine:
        raise ViewRefused("team", f"You are in no team {code[:41]!r}{nearest_end(code, mine)}".replace("\0", ""))
    return mine[code]


def _ask(view: SavedView, by: User, query: str, order: str, columns: Sequence[str]) -> None:
    try:
        view.query = asked_of({"q": query}, known_to(by)).text
    except BadQuery as error:
        raise ViewRefused("query", str(error)) from None
    if len(view.query) > LONGEST_QUERY:
        raise ViewRefused(
            "query", f"The query has {len(view.query):,} characters when written out; it may have {LONGEST_QUERY:,}."
        )
    if order and order not in ORDERS:
        raise ViewRefused("order", f"There is no order {order[:20]!r}{nearest_end(order, ORDERS)}")
    view.order, view.columns = order, _columns(columns)


def _columns(columns: Sequence[str]) -> list[str]:
    try:
        return ordered(columns)
    except BadColumn as error:
        raise ViewRefused("columns", str(error)) from None


def _write(view: SavedView) -> None:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        whose = f"{view.team} has" if view.team is not None else "You have"
        raise ViewRefused(
            "name", f"{whose} a view {view.name!r} already. Take another name, or change that one."
        ) from None


def _told(view: SavedView) -> dict[str, object]:
    told = {
        "name": view.name,
        "team": view.team and view.team.code,
        "query": view.query,
        "order": view.order,
        "columns": view.columns,
    }
    return {name: it for name, it in told.items() if it}
