"""What a service did to the set-up: said as a line, and named as the right that it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Model

from ingestion import custody

LOCK = 0x7365  # the advisory lock's class
Verb = Literal["add", "change", "delete"]


@dataclass(frozen=True)
class Change:
    """One thing that was added, changed or deleted; as a text it is the sentence."""

    model: type[Model]
    verb: Verb
    sentence: str

    def __str__(self) -> str:
        return self.sentence

    @property
    def permission(self) -> str:
        """The right that a person needs for it."""
        opts = self.model._meta
        return f"{opts.app_label}.{self.verb}_{opts.model_name}"


class ChangeRefused(ValueError):
    """A change that cannot be; the text says what would be right. Nothing of it was done."""


def wait_for_turn() -> None:
    """Let changes of the set-up take turns until each one's transaction ends, so that none is decided by what another one
    is about to change."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [LOCK])


def counted(changes: Sequence[Change], what: str) -> list[Change]:
    """A line per verb in the place of a line per thing."""
    found: dict[tuple[type[Model], Verb], int] = {}
    for change in changes:
        found[change.model, change.verb] = found.get((change.model, change.verb), 0) + 1
    done = {"add": "added", "change": "changed", "delete": "removed"}
    return [Change(model, verb, f"{what} {done[verb]}: {number}") for (model, verb), number in found.items()]


def save_named(model: type[Model], code: str, values: Mapping[str, object]) -> list[Change]:
    """Make or change a row by its code, sealed; nothing where nothing differs."""
    name = str(model._meta.verbose_name)
    row = model._default_manager.filter(code=code).first()
    changed = [key for key, value in values.items() if row is None or getattr(row, key) != value]
    if row is not None and not changed:
        return []
    verb: Verb = "change" if row else "add"
    row = row or model(code=code)
    for key in changed:
        setattr(row, key, values[key])
    _check(row)
    row.save()
    custody.seal([row])
    said = f"changed {', '.join(changed)}" if verb == "change" else "created"
    return [Change(model, verb, f"{name} {code}: {said}")]


def _check(row: Model) -> None:
    """Hold the values to their fields; what is empty may be so."""
    empty = [field.name for field in row._meta.fields if not getattr(row, field.attname) and field.name != "code"]
    try:
        row.clean_fields(exclude=empty)
    except ValidationError as error:
        sentences = [f"{name}: {' '.join(told)}" for name, told in error.message_dict.items()]
        raise ChangeRefused(" ".join(sentences)) from None
