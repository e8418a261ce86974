"""Pages to look at, never to change: services alone write what stands here."""

import json
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin, ShowFacets
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

MOST = 2_000  # rows that a list counts and pages through; a search finds what lies beyond


class BoundedPaginator(Paginator):
    """Pages of the first rows: counting a million costs more than a page that nobody leafs to."""

    most = MOST

    @cached_property
    def count(self) -> int:
        """How many rows there are, up to `MOST`."""
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return rows.order_by()[: self.most].count()


class ReadOnlyAdmin(admin.ModelAdmin):
    """Lists and pages without add, change and delete.

    `related` is joined in every query, so that no row of a page asks the database again. `page` names the address of the
    thing's own page in the product, to which its page here leads.
    """

    actions = None
    page = ""
    related: tuple[str, ...] = ()
    list_per_page = 50
    show_full_result_count = False  # counting everything beside what was searched costs a scan
    paginator = BoundedPaginator
    show_facets = ShowFacets.NEVER  # so does a count per filter

    def visible(self, request: HttpRequest) -> QuerySet[Any]:
        """What the user may see; a page whose rows belong to a team narrows it."""
        return super().get_queryset(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """What the user may see, with what a row shows of other rows."""
        return self.visible(request).select_related(*self.related)

    def get_view_on_site_url(self, obj: Model | None = None) -> str | None:
        """Where the product shows the thing."""
        return reverse(self.page, args=[self.shown_by(obj)]) if self.page and obj is not None else None

    def shown_by(self, obj: Any) -> int:  # noqa: ANN401
        """Whose page that is, by id: its own, unless it hangs on another thing."""
        return int(obj.pk)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never."""
        return False


class ReadOnlyRows(InlineModelAdmin):
    """Rows that hang on a thing, shown on its page. Stands before `TabularInline` or `StackedInline`."""

    can_delete = False
    extra = 0
    related: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what a row shows of other rows."""
        return super().get_queryset(request).select_related(*self.related)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never."""
        return False


def document(name: str, title: str = "") -> Callable[[Any, Model], SafeString]:
    """A column of a page that shows a JSON field as indented text."""

    @admin.display(description=title or name.replace("_", " "))
    def shown(_: Any, row: Model) -> SafeString:  # noqa: ANN401
        text = json.dumps(getattr(row, name), indent=2, ensure_ascii=False)
        return format_html('<pre class="document">{}</pre>', text)

    return shown
