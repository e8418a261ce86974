"""Users in the admin: roles are given, superusers are not made."""

from collections.abc import Callable

from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

Staff = Callable[[str], User]


def test_an_administrator_gives_roles_and_no_more(client: Client, staff: Staff) -> None:
    staff("Administrator")
    ann = User.objects.create_user("ann", password="secret-of-a-test")
    url = reverse("admin:auth_user_change", args=[ann.pk])
    answer = client.get(url)
    page = answer.content.decode()
    assert answer.status_code == 200 and "is_superuser" not in page and "user_permissions" not in page
    role = Group.objects.get(name="Analyst")
    given = {"username": "ann", "is_active": "on", "is_staff": "on", "is_superuser": "on", "groups": [role.pk]}
    moment = {"date_joined_0": "2026-11-20", "date_joined_1": "10:00:00"}
    assert client.post(url, given | moment).status_code == 302
    ann.refresh_from_db()
    assert (ann.is_superuser, ann.is_staff, list(ann.groups.all())) == (False, True, [role])


def test_a_superuser_is_out_of_reach(client: Client, staff: Staff) -> None:
    staff("Administrator")
    root = User.objects.create_superuser("root", password="secret-of-a-test")
    for name in ("auth_user_change", "auth_user_password_change"):
        url = reverse(f"admin:{name}", args=[root.pk])
        answer = client.post(url, {"password1": "taken-over-1", "password2": "taken-over-1", "username": "mine"})
        assert answer.status_code == 403
    assert client.post(reverse("admin:auth_user_delete", args=[root.pk]), {"post": "yes"}).status_code == 403


def test_others_manage_nobody(client: Client, staff: Staff) -> None:
    staff("Manager")
    for name in ("auth_user_changelist", "auth_user_add", "auth_group_changelist"):
        assert client.get(reverse(f"admin:{name}")).status_code == 403
