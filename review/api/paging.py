"""Pages of a list."""

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """Keyset pages by id."""

    ordering = "-id"
    page_size = 50
