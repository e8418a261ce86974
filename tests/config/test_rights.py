"""A user's rights are those given to them and those of their groups, asked once."""

import re
from collections.abc import Callable

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission, User
from pytest_django import DjangoAssertNumQueries

from config.roles import ROLES
from review.api.permissions import WHO


def test_rights_are_those_that_django_gives(
    person: Callable[[str], User], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    analyst = person("Analyst")
    analyst.user_permissions.add(Permission.objects.get(codename="waive_check"))
    root = User.objects.create_superuser("root", password="secret-of-a-test")
    for user in (analyst, root, User.objects.create_user("nobody", password="secret-of-a-test")):
        expected = ModelBackend().get_all_permissions(User.objects.get(pk=user.pk))
        fresh = User.objects.get(pk=user.pk)
        with django_assert_num_queries(1):
            assert fresh.get_all_permissions() == expected
            assert fresh.has_perm("review.waive_check") == ("review.waive_check" in expected)
    assert analyst.has_perm("review.waive_check") and analyst.has_perm("review.add_decision")


def test_a_refusal_names_the_roles_that_have_the_right() -> None:
    for right, told in WHO.items():
        have = [role for role, rights in ROLES.items() if right.split(".")[1] in rights and role != "API client"]
        assert sorted(re.split(", | or ", told)) == sorted(have), right


def test_who_may_not_sign_in_has_none(person: Callable[[str], User]) -> None:
    user = person("Manager")
    user.is_active = False
    assert user.get_all_permissions() == set()
    assert not user.has_perm("review.add_decision")
