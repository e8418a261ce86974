"""Alerts of late deliveries: who is told, what was raised, and how far the telling came."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from ingestion.admin.read_only import ReadOnlyAdmin, ReadOnlyRows
from ingestion.alerts import put_target, revive, target_fault
from ingestion.clock import database_now
from ingestion.models import Alert, AlertTarget, Notice
from reconciliation.admin.filters import SourceFilter, through
from reconciliation.visibility import visible_sources


class TargetForm(forms.ModelForm):  # type: ignore[type-arg]
    """An address that can be used, and a secret by the name of its variable."""

    class Meta:
        model = AlertTarget
        fields = ("code", "kind", "address", "secret", "sources", "active")

    def clean(self) -> dict[str, Any]:
        """The values together."""
        given = super().clean() or self.cleaned_data
        kind, address, secret = (given.get(name) or "" for name in ("kind", "address", "secret"))
        if kind and address and (sentence := target_fault(kind, address, secret)):
            self.add_error("secret" if "secret" in sentence else "address", sentence)
        return given


@admin.register(AlertTarget)
class AlertTargetAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who is told. A target is never deleted, only set out of use: notices name it."""

    form = TargetForm
    actions = None
    list_display = ("code", "kind", "address", "active")
    list_filter = ("kind", "active")
    search_fields = ("code", "address")
    filter_horizontal = ("sources",)
    fields = ("code", "kind", "address", "secret", "sources", "active")

    def get_readonly_fields(self, request: HttpRequest, obj: AlertTarget | None = None) -> tuple[str, ...]:
        """The code of a target that is there."""
        return ("code",) if obj else ()

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ANN401
        """The user's sources."""
        kwargs["queryset"] = visible_sources(request.user).order_by("code")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never."""
        return False

    def save_model(self, request: HttpRequest, obj: AlertTarget, form: Any, change: Any) -> None:  # noqa: ANN401
        """Through the service."""
        values = {name: getattr(obj, name) for name in ("code", "kind", "address", "secret", "active")}
        put_target(**values, sources=list(form.cleaned_data["sources"]))
        obj.pk = AlertTarget.objects.get(code=obj.code).pk


class NoticeRows(ReadOnlyRows, admin.TabularInline):
    """Who was told of an alert."""

    model = Notice
    related = ("target",)
    fields = readonly_fields = ("target", "state", "attempts", "sent_at", "error")


def _of_sources(request: HttpRequest, path: str) -> Q:
    """Those of the user's sources."""
    seen = visible_sources(request.user)
    event = Alert.objects.filter(sources__in=seen).values("pk")
    own = f"{path.removesuffix('__')}__in" if path else "pk__in"
    places = {f"{path}expectation__source__in": seen, f"{path}normalization__delivery__source__in": seen, own: event}
    return Q(*places.items(), _connector=Q.OR)


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """Deliveries that were not there in time, or do not agree with their control totals; gates that closed, and the like."""

    related = ("expectation__source", "normalization__delivery__source", "normalization__mapping__source")
    list_display = ("__str__", "what", "raised_at", "arrived_at", "cleared_at")
    list_filter = (through(SourceFilter, "expectation__source"), "expectation__business_date")
    fields = readonly_fields = (
        "expectation",
        "normalization",
        "what",
        "sentence",
        "raised_at",
        "arrived_at",
        "cleared_at",
    )
    inlines = (NoticeRows,)

    def visible(self, request: HttpRequest) -> QuerySet[Alert]:
        """Those of the user's sources."""
        return Alert.objects.filter(_of_sources(request, ""))


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """Alerts on their way; a dead letter can be sent again."""

    related = ("alert__expectation__source", "alert__normalization__delivery__source", "target")
    list_display = ("alert", "target", "state", "attempts", "error_start")
    list_filter = (
        through(SourceFilter, "alert__expectation__source"), "target",
        ("sent_at", admin.EmptyFieldListFilter), ("dead_at", admin.EmptyFieldListFilter),
    )  # fmt: skip
    fields = readonly_fields = ("alert", "target", "state", "attempts", "next_at", "sent_at", "dead_at", "error")
    actions = ("send_again",)  # type: ignore[assignment]

    def visible(self, request: HttpRequest) -> QuerySet[Notice]:
        """Those of the user's sources."""
        return Notice.objects.filter(_of_sources(request, "alert__"))

    @admin.display(description="error")
    def error_start(self, notice: Notice) -> str:
        """The beginning of what the last attempt said."""
        return notice.error[:120]

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Who may change notices."""
        return request.user.has_perm("ingestion.change_notice")  # type: ignore[union-attr]

    @admin.action(description="Send dead letters again", permissions=["send"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Notice]) -> None:
        """Give dead letters another six attempts."""
        dead = [notice for notice in chosen if notice.state == "dead"]
        for notice in dead:
            revive(notice, database_now())
        messages.info(request, f"{len(dead)} dead letters will be sent again within half a minute.")
