"""API tokens: made for the users that are programs, shown once, taken back at any time."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from ingestion.person import person_of
from review.models import ApiToken
from review.rights import PROGRAMS
from review.tokens import LONGEST_DAYS, SCOPES, digest, make_token, revoke_token


class TokenForm(forms.ModelForm):
    """Whose it is, what it may, and for how long."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES], widget=forms.CheckboxSelectMultiple
    )
    days = forms.IntegerField(min_value=1, max_value=LONGEST_DAYS, initial=90, label="Days until it ends")

    class Meta:
        model = ApiToken
        fields = ("user", "name", "scopes", "days")


@admin.register(ApiToken)
class TokenAdmin(admin.ModelAdmin):
    """Tokens that programs call with. One is never changed: it is taken back, and another made."""

    form = TokenForm
    actions = None
    list_display = ("name", "user", "prefix", "may", "created_at", "expires_at", "last_used_at")
    list_select_related = ("user",)
    list_filter = ("expires_at",)
    search_fields = ("name", "prefix", "user__username")
    fields = ("user", "name", "scopes", "days")

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never."""
        return False

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        """Of a token that is there everything but its hash."""
        return ("user", "name", "prefix", "may", "created_at", "expires_at", "last_used_at") if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        """All of it, once it is there."""
        return self.get_fields(request, obj) if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ANN401
        """The users that are programs."""
        return super().formfield_for_foreignkey(db_field, request, queryset=_programs(), **kwargs)

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:  # noqa: ANN401, FBT001
        """Through the service; the text is kept for this answer only."""
        given = form.cleaned_data
        text = make_token(
            user=obj.user, name=obj.name, scopes=given["scopes"], days=given["days"], by=person_of(request)
        )
        obj.pk = ApiToken.objects.get(sha256=digest(text)).pk
        obj.shown_once = text  # type: ignore[attr-defined]

    def delete_model(self, request: HttpRequest, obj: ApiToken) -> None:
        """Through the service."""
        revoke_token(token=obj, by=person_of(request))

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        """The page that shows the token."""
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "API token", "token": obj}
        return TemplateResponse(request, "admin/token.html", context)

    @admin.display(description="scopes")
    def may(self, token: ApiToken) -> str:
        """What it may."""
        return ", ".join(token.scopes)


def _programs() -> QuerySet[User]:
    """Whose tokens are made here: a token has its user's rights, so that nobody makes one for a person."""
    return User.objects.filter(groups__name=PROGRAMS, is_active=True, is_superuser=False).order_by("username")
