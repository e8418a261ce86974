"""Comments and holds: what people said of breaks, and what they put aside. The break's page is where that is done."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ingestion.admin.read_only import ReadOnlyAdmin
from reconciliation.admin.filters import ReconciliationFilter, through
from reconciliation.models import Hold, access_of
from review.models import Comment

OF_BREAK = through(ReconciliationFilter, "brk__reconciliation")


class OfBreakAdmin(ReadOnlyAdmin):
    """Things that hang on a break, to whose page they lead."""

    page = "break"
    search_fields = ("brk__key__startswith",)
    search_help_text = "The beginning of a key."

    def visible(self, request: HttpRequest) -> QuerySet[Any]:
        """Those of breaks that the user may see."""
        return self.model._default_manager.filter(access_of(request.user).holds("brk__"))

    def shown_by(self, obj: Any) -> int:  # noqa: ANN401
        """The page is the break's."""
        return int(obj.brk_id)


@admin.register(Comment)
class CommentAdmin(OfBreakAdmin):
    """Comments. What was withdrawn is not read here: its break's page shows it to whom it may."""

    related = ("brk__reconciliation", "written_by", "withdrawn_by", "corrects")
    list_display = ("id", "brk", "said", "written_by", "written_at", "withdrawn_at")
    list_filter = (OF_BREAK, "written_at", ("withdrawn_at", admin.EmptyFieldListFilter))
    fields = readonly_fields = ("brk", "said", "written_by", "written_at", "corrects", "withdrawn_by", "withdrawn_at")

    @admin.display(description="text")
    def said(self, comment: Comment) -> str:
        """The text, unless it was withdrawn."""
        return "withdrawn" if comment.withdrawn_at else comment.text


@admin.register(Hold)
class HoldAdmin(OfBreakAdmin):
    """Holds, those that lasted and those that last."""

    related = ("brk__reconciliation", "held_by", "ended_by")
    list_display = ("id", "brk", "awaits", "note", "held_by", "held_at", "ended_at", "ended_because")
    list_filter = (OF_BREAK, ("ended_at", admin.EmptyFieldListFilter), "held_at")
    fields = readonly_fields = (
        "brk", "until", "party", "note", "held_by", "held_at", "ended_at", "ended_by", "ended_because",
    )  # fmt: skip
