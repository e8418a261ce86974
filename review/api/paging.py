"""Pages of a list."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from review.ids import is_number

MOST = 1000  # rows of a page
OURS = ("cursor", "limit")


class NewestFirst(CursorPagination):
    """Keyset pages by id."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "limit"
    page_size_query_description = f"Rows of a page, at most {MOST}."

    def get_page_size(self, request: Request) -> int:
        """As asked; ValidationError for what is no size."""
        text = request.GET.get("limit")
        if text is None:
            return self.page_size
        if not (is_number(text, 4) and 1 <= int(text) <= MOST):
            raise ValidationError({"detail": f"limit is {text[:40]!r}; it is a number from 1 to {MOST}."})
        return int(text)


class InOrder(NewestFirst):
    """Keyset pages in the order that is asked for."""

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:  # noqa: ANN401
        """As the view has sorted."""
        return tuple(queryset.query.order_by)
