"""The store by REST: the rows of a record type, read-only."""

import datetime as dt
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from reconciliation.store.rows import leaf_paths
from reconciliation.store.tables import store_table
from reconciliation.values import moment_text
from reconciliation.visibility import visible_record_types, visible_stored
from review.api.door import Door
from review.api.paging import OURS, NewestFirst
from review.api.permissions import check_right
from review.api.strict import one_of
from review.export_kinds import CURRENT, TECHNICAL, VERSIONS


class StoredView(Door):
    """Stored rows of one record type, the current ones unless every version is asked for."""

    parameters = ("version", *OURS)

    @extend_schema(
        parameters=[
            OpenApiParameter("version", enum=VERSIONS),
            OpenApiParameter("cursor", description="From `next` or `previous` of a page."),
            OpenApiParameter("limit", int, description="Rows of a page, at most 1000."),
        ],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request, code: str) -> Response:
        """A page of rows, newest first: the record's fields by name, and beside them where the row came from."""
        check_right(request, "ingestion.view_recordtype", "Reading the store")
        table = store_table(get_object_or_404(visible_record_types(request.user), code=code))
        rows = visible_stored(table, request.user)
        if one_of(request, "version", VERSIONS, CURRENT) == CURRENT and table.has_versions:
            rows = rows.filter(valid_to=None)
        paths = leaf_paths(table)
        joined = tuple(dict.fromkeys(path.rsplit("__", 1)[0] for path in paths.values() if "__" in path))
        pages = NewestFirst()
        page = pages.paginate_queryset(rows.select_related(*joined), request, self)
        technical = TECHNICAL if table.has_versions else ()
        return pages.get_paginated_response(
            [
                {
                    **{name: _text(_at(row, path)) for name, path in paths.items()},
                    **{f"_{name}": getattr(row, name) for name in technical},
                }
                for row in page or ()
            ]
        )


def _at(row: Any, path: str) -> Any:  # noqa: ANN401 - a stored value of any kind
    for part in path.split("__"):
        row = getattr(row, part, None)
    return row


def _text(value: Any) -> Any:  # noqa: ANN401
    """Exact numbers as text, times as ISO 8601 in UTC, as everywhere in the API."""
    if isinstance(value, dt.datetime):
        return moment_text(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)
