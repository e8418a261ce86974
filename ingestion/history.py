"""The history of the set-up: triggers keep each version of a row, whatever wrote it; services say in whose name they write.

A version without a name was written past the services, by hand.
"""

import json
from typing import TypeVar

import pghistory
from django.db import connection
from django.db.models import Model

from ingestion.origin import named

Tracked = TypeVar("Tracked", bound=type[Model])


def kept(model: Tracked) -> Tracked:
    """Keep each version of a model's rows, in a table of its own that is never changed."""
    track = pghistory.track(
        pghistory.InsertEvent(),
        pghistory.UpdateEvent(),
        pghistory.DeleteEvent(),
        context_field=pghistory.ContextJSONField(),
        context_id_field=None,  # type: ignore[arg-type]
        append_only=True,
    )
    return track(model)


def write_as(by: str = "") -> None:
    """Let the versions that this transaction writes bear a name, the door and the request. Call it before writing."""
    who, door, request = named(by)
    with connection.cursor() as cursor:
        told = json.dumps({"by": who, "door": door, "request": request}, ensure_ascii=False)
        cursor.execute("SELECT set_config('pghistory.context_metadata', %s, true)", [told])
