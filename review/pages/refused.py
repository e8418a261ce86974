"""What somebody may not do, said with the right that is missing and who has it."""

from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from review.rights import PROGRAMS


def refused(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The page of a refusal: the sentence that was given with it, else the right that was asked for last and not held."""
    sentence = str(exception or "")
    told: dict[str, Any] = {"exception": sentence} if sentence else {"missing": missing_right(request.user)}  # type: ignore[arg-type]
    return render(request, "403.html", told, status=403)


def missing_right(user: User) -> dict[str, Any] | None:
    """The right that the user was last found not to have, the roles that have it, and the user's own; None where none was asked for."""
    code = getattr(user, "refused_right", "")
    if not code or not user.is_authenticated:
        return None
    label, _, name = code.partition(".")
    right = Permission.objects.filter(content_type__app_label=label, codename=name).first()
    if right is None:
        return None
    roles = Group.objects.exclude(name=PROGRAMS).order_by("name")
    have = list(roles.filter(permissions=right).values_list("name", flat=True))
    return {
        "what": right.name.removeprefix("Can "),
        "have": have,
        "own": list(user.groups.values_list("name", flat=True)),
    }
