"""How a person's queue looks: columns, saved views; with the reasons that there are, in one query."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils.http import urlencode

from attribution.models import Reason
from ingestion.prepared import prepared
from reconciliation.models import Team
from review.columns import COLUMNS, USUAL
from review.ids import id_of
from review.models import QueueLook
from review.saved_views import visible_views


@dataclass(frozen=True)
class View:
    """A saved view that the person may open."""

    pk: int
    name: str
    query: str
    order: str
    columns: tuple[str, ...]
    team: str

    @property
    def address(self) -> str:
        """The part of its address after the question mark."""
        asked = {"q": self.query, "order": self.order, "view": str(self.pk)}
        return urlencode({name: value for name, value in asked.items() if value})


@dataclass(frozen=True)
class Look:
    """What the page is told of who looks at it. `reasons`: whether each is functional; `teams`: their titles by code."""

    columns: tuple[str, ...]
    opens_with: int | None
    views: tuple[View, ...]
    teams: Mapping[str, str]
    reasons: Mapping[str, bool | None]

    @property
    def first(self) -> View | None:
        """The view that the queue opens with."""
        return next((it for it in self.views if it.pk == self.opens_with), None)

    def opened(self, pk: str) -> View | None:
        """The view of an address, as far as the person may open it."""
        return next((it for it in self.views if it.pk == id_of(pk)), None)


def look_of(user: User) -> Look:
    """One query, however much a person saved."""
    told = prepared(("look", user.pk), lambda: _look(user))[0]
    look: dict[str, Any] = told[0] or {}
    return Look(
        columns=_known(look.get("columns") or ()) or USUAL,
        opens_with=look.get("opens_with_id"),
        views=tuple(View(**{**it, "columns": _known(it["columns"]), "team": it["team"] or ""}) for it in told[1]),
        teams={it["code"]: it["label"] or it["code"] for it in told[2]},
        reasons={it["code"]: it["functional"] for it in told[3]},
    )


def _look(user: User) -> QuerySet[User, Any]:
    views = visible_views(user).order_by("name", "pk")
    teams = Team.objects.filter(members=user.pk).order_by("code")
    return User.objects.filter(pk=user.pk).values_list(
        Subquery(QueueLook.objects.filter(person=OuterRef("pk")).values(it=_object("columns", "opens_with_id"))),
        ArraySubquery(views.values(it=_object("pk", "name", "query", "order", "columns", team="team__code"))),
        ArraySubquery(teams.values(it=_object("code", "label"))),
        ArraySubquery(Reason.objects.values(it=_object("code", "functional"))),
    )


def _object(*names: str, **others: str) -> JSONObject:
    return JSONObject(**{name: F(name) for name in names}, **{name: F(it) for name, it in others.items()})


def _known(columns: Any) -> tuple[str, ...]:  # noqa: ANN401 - what JSON holds
    """Columns that there still are."""
    return tuple(it for it in COLUMNS if it in columns)
