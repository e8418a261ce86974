"""How a person wants to work: kept with the person, and carried by the session, so that no page asks for it."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest

from review.models import Preference

CARRIED = "preference"
UNSET = {"has_keys": True, "density": Preference.Density.ROOMY.value}


class PreferenceRefused(Exception):
    """What cannot be set; the text says what can. Nothing was written."""


def carry(request: HttpRequest, user: AbstractBaseUser) -> None:
    """Let a session know what a person set; call it as somebody signs in."""
    found = Preference.objects.filter(person=user.pk).values(*UNSET).first()
    request.session[CARRIED] = found or UNSET


def preference(request: HttpRequest) -> dict[str, Any]:
    """What the signed-in person set, by name."""
    return UNSET | request.session.get(CARRIED, {})


def prefer(request: HttpRequest, *, has_keys: bool, density: str) -> None:
    """Set how the signed-in person wants to work, from the next page on."""
    if density not in Preference.Density.values:
        raise PreferenceRefused("Rows are roomy or compact. Choose one of them.")
    wanted = {"has_keys": has_keys, "density": density}
    Preference.objects.update_or_create(person_id=request.user.pk, defaults=wanted)
    request.session[CARRIED] = wanted
