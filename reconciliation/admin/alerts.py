"""Alerts: who is told, what was raised, and how far the telling came."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from ingestion.admin.read_only import ReadOnlyAdmin, ReadOnlyRows
from ingestion.alerts import put_target, revive, target_fault
from ingestion.clock import database_now
from ingestion.models import Alert, AlertTarget, Notice
from ingestion.notices import send_test
from ingestion.person import person_of
from ingestion.suggestion import nearest_end
from reconciliation.admin.filters import SourceFilter, through
from reconciliation.models import Team
from reconciliation.visibility import visible_alerts, visible_sources


class TargetForm(forms.ModelForm):
    """An address that can be used, and a secret by the name of its variable."""

    class Meta:
        model = AlertTarget
        fields = ("code", "kind", "address", "secret", "sources", "team", "active")

    def clean(self) -> dict[str, Any]:
        """The values together."""
        given = super().clean() or self.cleaned_data
        kind, address, secret = (given.get(name) or "" for name in ("kind", "address", "secret"))
        if (team := given.get("team")) and not Team.objects.filter(code=team).exists():
            self.add_error(
                "team", f"There is no team {team!r}{nearest_end(team, Team.objects.values_list('code', flat=True))}"
            )
        if kind and address and (sentence := target_fault(kind, address, secret)):
            self.add_error("secret" if "secret" in sentence else "address", sentence)
        return given


@admin.register(AlertTarget)
class AlertTargetAdmin(admin.ModelAdmin):
    """Who is told. A target is never deleted, only set out of use: notices name it."""

    form = TargetForm
    actions = None
    list_display = ("code", "kind", "address", "team", "active")
    list_filter = ("kind", "active")
    search_fields = ("code", "address")
    filter_horizontal = ("sources",)
    fields = ("code", "kind", "address", "secret", "sources", "team", "active")

    def get_urls(self) -> list[URLPattern]:
        """The button that sends a test, beside the pages."""
        view = self.admin_site.admin_view(self.test_view)
        return [path("<int:pk>/test/", view, name="ingestion_alerttarget_test"), *super().get_urls()]

    @method_decorator(require_POST)
    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a test, and say whether the other side took it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        target = get_object_or_404(self.get_queryset(request), pk=pk)
        said = send_test(target, person_of(request))
        if said:
            messages.error(request, f"The test did not reach {target.address}. {said}")
        else:
            messages.success(request, f"{target.address} took the test.")
        return redirect("admin:ingestion_alerttarget_change", pk)

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
        values = {name: getattr(obj, name) for name in ("code", "kind", "address", "secret", "team", "active")}
        put_target(**values, sources=list(form.cleaned_data["sources"]))
        obj.pk = AlertTarget.objects.get(code=obj.code).pk


class NoticeRows(ReadOnlyRows, admin.TabularInline):
    """Who was told of an alert."""

    model = Notice
    related = ("target", "person")
    fields = readonly_fields = ("target", "person", "state", "attempts", "sent_at", "error")


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """What happened, a line each while it lasts."""

    related = ("expectation__source", "normalization__delivery__source", "normalization__mapping__source", "person")
    list_display = ("__str__", "event", "count", "raised_at", "last_at", "cleared_at")
    list_filter = (through(SourceFilter, "expectation__source"), "event", ("cleared_at", admin.EmptyFieldListFilter))
    fields = readonly_fields = (
        "event",
        "sentence",
        "link",
        "expectation",
        "normalization",
        "person",
        "count",
        "raised_at",
        "last_at",
        "arrived_at",
        "cleared_at",
    )
    inlines = (NoticeRows,)

    def visible(self, request: HttpRequest) -> QuerySet[Alert]:
        """Those that the user may see in the inbox."""
        return visible_alerts(request.user)


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """Alerts on their way; a dead letter can be sent again."""

    related = ("alert__expectation__source", "alert__normalization__delivery__source", "target", "person")
    list_display = ("alert", "target", "person", "state", "attempts", "error_start")
    list_filter = (
        through(SourceFilter, "alert__expectation__source"), "target",
        ("sent_at", admin.EmptyFieldListFilter), ("dead_at", admin.EmptyFieldListFilter),
    )  # fmt: skip
    fields = readonly_fields = (
        "alert",
        "target",
        "person",
        "digest_on",
        "state",
        "attempts",
        "next_at",
        "sent_at",
        "dead_at",
        "error",
    )
    actions = ("send_again",)  # type: ignore[assignment]

    def visible(self, request: HttpRequest) -> QuerySet[Notice]:
        """Those of alerts that the user may see, and one's own digests."""
        mine = Q(alert=None, person=request.user.pk)
        return Notice.objects.filter(mine | Q(alert__in=visible_alerts(request.user).values("pk")))

    @admin.display(description="error")
    def error_start(self, notice: Notice) -> str:
        """The beginning of what the last attempt said."""
        return notice.error[:120]

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Who may change notices."""
        return request.user.has_perm("ingestion.change_notice")

    @admin.action(description="Send dead letters again", permissions=["send"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Notice]) -> None:
        """Give dead letters another six attempts."""
        dead = [notice for notice in chosen if notice.state == "dead"]
        for notice in dead:
            revive(notice, database_now())
        messages.info(request, f"{len(dead)} dead letters will be sent again within half a minute.")
