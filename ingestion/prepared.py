"""Queries whose SQL is written once: for what every page asks, Django takes many times as long to write the same SQL again as
PostgreSQL takes to answer it."""

from collections.abc import Callable, Hashable, Mapping
from copy import copy
from threading import Lock
from typing import Any, Generic, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)
R = TypeVar("R")
KEPT = 2000
_held: dict[Hashable, "Prepared[Any, Any]"] = {}
_lock = Lock()

TOO_LARGE = 1 << 63  # of which no row can be asked

# What stands in a prepared query for a value that each asking gives: no id is so large, no text holds such a sign.
PK, OTHER_PK = (1 << 62) + 1, (1 << 62) + 2
TEXT, OTHER_TEXT, THIRD_TEXT = "\ue000a", "\ue000b", "\ue000c"


class Prepared(Generic[M, R]):
    """A query with its SQL; asked again, it gives fresh rows."""

    def __init__(self, queryset: "QuerySet[M, R]") -> None:
        self.queryset = queryset
        self.compiler = queryset.query.get_compiler(queryset.db)
        try:
            self.made = self.compiler.as_sql()
        except EmptyResultSet:
            self.made = ("", ())

    def rows(self, given: Mapping[Any, int | str]) -> list[R]:
        """The rows as they are now, read by this thread's connection, with values for what stands for them."""
        text, params = self.made
        if not text or any(isinstance(it, int) and it >= TOO_LARGE for it in given.values()):
            return []
        filled = text, tuple(_filled(it, given) for it in params)
        compiler, queryset = copy(self.compiler), self.queryset.all()
        compiler.connection = connections[queryset.db]
        compiler.as_sql = lambda *_, **__: filled  # type: ignore[method-assign]
        queryset.query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign, misc]
        return list(queryset)


def _filled(param: object, given: Mapping[Any, int | str]) -> object:
    """A parameter, with its adapter's type."""
    if isinstance(param, int | str) and param in given:
        return type(param)(given[param])  # type: ignore[arg-type]
    return param


def prepared(
    key: Hashable, make: "Callable[[], QuerySet[M, R]]", given: Mapping[Any, int | str] | None = None
) -> list[R]:
    """The rows of the query that `make` gives, which has to be the same for the same key, but for the values that are `given`."""
    if (found := _held.get(key)) is None:
        found = Prepared(make())
        with _lock:
            if len(_held) >= KEPT:
                _held.clear()
            _held[key] = found
    return found.rows(given or {})


def who(user: AbstractBaseUser | AnonymousUser) -> Hashable:
    """All of a user that what they may see depends on, but for what a query itself asks: a part of a key."""
    if not isinstance(user, User):
        return None
    return user.pk, user.username, user.date_joined, frozenset(user.get_all_permissions())
