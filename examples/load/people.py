"""The people of the load: fifty reviewers of three roles, and an auditor."""

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User

ROLES = {"Analyst": 34, "Supervisor": 12, "Manager": 4}


def make_people() -> list[User]:
    """reviewer_01 to reviewer_50 and load_auditor, who sign in with the demo's password; those there are stay as they are."""
    names = [(f"reviewer_{n:02}", role) for n, role in enumerate(_roles(), start=1)]
    hashed = make_password(settings.DEMO_PASSWORD)  # once: each costs a third of a second
    people = []
    for name, role in [*names, ("load_auditor", "Auditor")]:
        user, _ = User.objects.get_or_create(username=name, defaults={"password": hashed})
        user.groups.add(Group.objects.get(name=role))
        people.append(user)
    return people[:-1]


def _roles() -> list[str]:
    return [role for role, count in ROLES.items() for _ in range(count)]
