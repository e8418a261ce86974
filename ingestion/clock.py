"""The one clock that decides what is due: the database's, whatever the clocks of the workers say."""

import datetime as dt

from django.db import connection


def database_now() -> dt.datetime:
    """Now, in UTC."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: dt.datetime = cursor.fetchone()[0]
    return now.astimezone(dt.UTC)
