"""What a test commits is taken back, whatever the database refuses to a user."""

from django.contrib.auth.models import Permission, User
from django.db import connection

from ingestion.audit_log import record_event
from tests.taken_back import take_back


def _lines() -> dict[str, int]:
    """How many rows stand in each table."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        cursor.execute(" UNION ALL ".join(f"SELECT '{it}', count(*) FROM \"{it}\"" for it in tables))
        return dict(cursor.fetchall())


def test_what_came_goes_and_what_went_comes_back(transactional_db: None) -> None:
    before = _lines()
    User.objects.create_user("ann")
    record_event("run.started", of="run", by="ann")
    given = Permission.objects.exclude(group=None).values("pk", "codename")
    first = given.order_by("pk")[0]
    Permission.objects.filter(pk=first["pk"]).delete()
    after = _lines()
    assert {name for name in before if before[name] != after[name]} >= {
        "auth_user", "ingestion_auditevent", "auth_permission", "auth_group_permissions"
    }  # fmt: skip
    take_back()
    assert _lines() == before
    assert given.order_by("pk")[0] == first
