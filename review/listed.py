"""Rows that hang on a row, brought with it: a list of their values by name, so that few queries bring all that a page tells."""

import datetime as dt
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import QuerySet
from django.db.models.functions import JSONObject


def listed(rows: QuerySet[Any], *names: str, **named: object) -> ArraySubquery:
    """The rows, in their order, as objects of these values; `id` is always among them. A value is a path or an expression."""
    return ArraySubquery(rows.values(told=JSONObject(**{"id": "pk", **{name: name for name in names}, **named})))


def moment(text: str) -> dt.datetime:
    """A time among these values."""
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)
