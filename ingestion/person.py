"""The person who asks."""

from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.http import HttpRequest

if TYPE_CHECKING:
    from rest_framework.request import Request


def person_of(request: "HttpRequest | Request") -> User:
    """The signed-in person, or the user of a program; whoever has not signed in is let in nowhere that asks for one."""
    assert isinstance(request.user, User)
    return request.user
