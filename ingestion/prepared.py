"""Queries whose SQL is written once, and planned once a session: for what every page asks, Django takes many times as long to write
the same SQL again, and PostgreSQL to plan it, as it takes to answer it."""

import datetime as dt
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

import psycopg
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Model, QuerySet
from django.db.models.sql.compiler import cursor_iter
from django.db.models.sql.constants import GET_ITERATOR_CHUNK_SIZE
from psycopg import sql
from psycopg.types.numeric import Int8

M = TypeVar("M", bound=Model)
R = TypeVar("R")
U = TypeVar("U", bound=AbstractBaseUser | AnonymousUser)
Given = Mapping[Any, int | str | dt.datetime]
KEPT = 2000
_held: dict[Hashable, "Prepared[Any, Any]"] = {}
_lock = Lock()

TOO_LARGE = 1 << 63  # of which no row can be asked

# What stands in a prepared query for a value that each asking gives: no id is so large, no text holds such a sign, and no clock shows
# such a time.
PK, OTHER_PK = (1 << 62) + 1, (1 << 62) + 2
SMALL_PK = (1 << 31) - 2  # of Django's own tables, whose ids are integers
TEXT, OTHER_TEXT, THIRD_TEXT = "\ue000a", "\ue000b", "\ue000c"
MOMENT = dt.datetime(9876, 5, 4, 3, 2, 1, tzinfo=dt.UTC)
MANY_PKS = tuple((1 << 62) + 1000 + n for n in range(50))  # where fewer are asked for, the others are 0
PLACES = frozenset((PK, OTHER_PK, SMALL_PK, TEXT, OTHER_TEXT, THIRD_TEXT, *MANY_PKS))


class Prepared(Generic[M, R]):
    """A query with its SQL; asked again, it gives fresh rows."""

    def __init__(self, queryset: "QuerySet[M, R]") -> None:
        self.queryset = queryset
        self.compiler = queryset.query.get_compiler(queryset.db)
        try:
            self.text, self.params = _with_constants(connections[queryset.db], *self.compiler.as_sql())
        except EmptyResultSet:
            self.text = ""
            return
        self.converters = self.compiler.get_converters(
            [it[0] for it in self.compiler.select[: self.compiler.col_count]]
        )

    def rows(self, given: Given) -> list[R]:
        """The rows as they are now, read by this thread's connection, with values for what stands for them."""
        if not self.text or any(isinstance(it, int) and it >= TOO_LARGE for it in given.values()):
            return []
        compiler, queryset = copy(self.compiler), self.queryset.all()
        compiler.connection = connections[queryset.db]
        compiler.execute_sql = lambda *_, **__: self._answers(compiler, given)
        compiler.get_converters = lambda _: self.converters
        queryset.query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign]
        return list(queryset)

    def _answers(self, compiler: Any, given: Given) -> Iterable[Any]:  # noqa: ANN401 - Django's compiler
        cursor = _asking(compiler.connection)
        cursor.execute(self.text, tuple(_filled(it, given) for it in self.params))
        columns = compiler.col_count if compiler.has_extra_select else None
        nothing = compiler.connection.features.empty_fetchmany_value
        return list(cursor_iter(cursor, nothing, columns, GET_ITERATOR_CHUNK_SIZE))


def kept_rows(text: str, params: "Sequence[Any] | Mapping[str, Any]") -> list[tuple[Any, ...]]:
    """The rows of a statement of our own that the session keeps, by this thread's connection; lists are arrays. For texts that are the
    same at each asking."""
    with _asking(connections[DEFAULT_DB_ALIAS]) as cursor:
        cursor.execute(text, params)
        return cursor.fetchall() if cursor.description else []


class _Asking(psycopg.Cursor[Any]):
    """A cursor whose statements PostgreSQL keeps for the session, where the connection lets it."""

    def execute(self, query: Any, params: Any = None) -> Any:  # type: ignore[override]  # noqa: ANN401
        super().execute(query, params, prepare=True)
        self._query = _Logged(self, query, params)  # type: ignore[assignment]
        return self


@dataclass(frozen=True)
class _Logged:
    """What Django's log of queries asks a cursor for: the statement with its values, as other cursors send it."""

    cursor: _Asking
    text: Any
    params: Any

    @property
    def query(self) -> bytes:
        return psycopg.ClientCursor(self.cursor.connection).mogrify(self.text, self.params).encode()


def _asking(connection: BaseDatabaseWrapper) -> CursorWrapper:
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    return connection._prepare_cursor(_Asking(connection.connection))  # type: ignore[attr-defined]


def _with_constants(
    connection: BaseDatabaseWrapper, text: str, params: Sequence[object]
) -> tuple[str, Sequence[object]]:
    """A statement with its constants in its text, where the planner sees which of the partial indexes they fit; what differs from
    one asking or one person to the next stays a parameter, so that they share a plan."""
    connection.ensure_connection()
    left, bound = iter(params), list[object]()

    def written(place: re.Match[str]) -> str:
        if place[0] == "%%":
            return "%%"
        if _differs(it := next(left)):
            bound.append(it)
            return "%s"
        return sql.Literal(it).as_string(connection.connection).replace("%", "%%")

    return re.sub("%s|%%", written, text), bound


def _differs(param: object) -> bool:
    return (
        isinstance(param, int | dt.date) and not isinstance(param, bool) or isinstance(param, str) and param in PLACES
    )


def _filled(param: object, given: Given) -> Any:  # noqa: ANN401
    """A parameter, with its adapter's type; a whole number of any size has the same one."""
    if isinstance(param, dt.datetime):
        return given.get(param, param)
    if isinstance(param, int | str) and param in given:
        param = type(param)(given[param])  # type: ignore[arg-type]
    return Int8(param) if type(param) is int else param


def prepared(key: Hashable, make: "Callable[[], QuerySet[M, R]]", given: Given | None = None) -> list[R]:
    """The rows of the query that `make` gives, which has to be the same for the same key, but for the values that are `given`."""
    if (found := _held.get(key)) is None:
        found = Prepared(make())
        with _lock:
            if len(_held) >= KEPT:
                _held.clear()
            _held[key] = found
    return found.rows(given or {})


def anybody_like(user: U) -> tuple[Hashable, U, Given]:
    """For a query that all who have the same rights share: its key, a user with these rights in whose place each one is asked for
    (id, name, when they joined), and this one's values."""
    if not isinstance(user, User):
        return None, user, {}
    rights = frozenset(user.get_all_permissions())
    anybody = copy(user)
    anybody.pk, anybody.username, anybody.date_joined = SMALL_PK, TEXT, MOMENT
    return rights, anybody, {SMALL_PK: user.pk, TEXT: user.username, MOMENT: user.date_joined}
