"""The history of the set-up: triggers keep each version of a row, whatever wrote it; services say in whose name they write.

A version without a name was written past the services, by hand.
"""

import json
from typing import Any, TypeVar

import pghistory
from django.apps import apps
from django.db import connection
from django.db.models import Model

from ingestion.origin import named

BEGAN = "began"
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


def begin_histories() -> None:
    """Keep a first version of each row that has none: what stood there before histories were kept."""
    for model in apps.get_models():
        if hasattr(model, "pgh_event_model"):
            _begin(model)


def _begin(model: Any) -> None:  # noqa: ANN401
    event = model.pgh_event_model
    columns = ", ".join(f'"{it.column}"' for it in event._meta.fields if not it.name.startswith("pgh_"))
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{event._meta.db_table}" ({columns}, pgh_created_at, pgh_label, pgh_obj_id) SELECT {columns}, now(), '
            f'%s, t.id FROM "{model._meta.db_table}" t WHERE NOT EXISTS '
            f'(SELECT 1 FROM "{event._meta.db_table}" e WHERE e.pgh_obj_id = t.id)',
            [BEGAN],
        )


def write_as(by: str = "") -> None:
    """Let the versions that this transaction writes bear a name, the door and the request. Call it before writing."""
    who, door, request = named(by)
    with connection.cursor() as cursor:
        told = json.dumps({"by": who, "door": door, "request": request}, ensure_ascii=False)
        cursor.execute("SELECT set_config('pghistory.context_metadata', %s, true)", [told])
