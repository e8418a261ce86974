"""The demo's program: a user of the role for programs, with tokens."""

import secrets

from django.contrib.auth.models import Group, User

from review.rights import PROGRAMS
from review.tokens import make_token

PROGRAM = "demo-program"


def program_headers(*scopes: str) -> dict[str, str]:
    """The headers of a request by the program, with a token of its own that is good for a day."""
    user, _ = User.objects.get_or_create(username=PROGRAM)
    user.groups.add(Group.objects.get(name=PROGRAMS))
    token = make_token(user=user, name=f"demo {secrets.token_hex(4)}", scopes=list(scopes), days=1)
    return {"Authorization": f"Token {token}"}
