"""What a service did to the set-up: said as a line, and named as the right that it needs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Model

from ingestion import custody
from ingestion.audit_log import record_event
from ingestion.history import write_as

LOCK = 0x7365  # the advisory lock's class
MOST_TOLD = 100  # sentences of an event
_AS_ONE: ContextVar[bool] = ContextVar("as_one", default=False)
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


@contextmanager
def told_as_one(by: str = "") -> Iterator[None]:
    """Inside, no change is an event of its own: who changes many at once tells of them with `tell_together`."""
    write_as(by)
    token = _AS_ONE.set(True)
    try:
        yield
    finally:
        _AS_ONE.reset(token)


def tell(
    changes: Sequence[Change], *, of: Model, before: Mapping[str, object] | None, after: Mapping[str, object] | None
) -> list[Change]:
    """Record one thing's change in the audit log; call it where it is written. Gives the changes."""
    if changes and not _AS_ONE.get():
        record_event("setup.changed", of=of, name=changes[0].sentence, before=before, after=after)
    return list(changes)


def tell_together(changes: Sequence[Change], *, of: str, name: str, by: str = "") -> None:
    """Record many changes as one event: a line each, and how many of each verb."""
    if not changes:
        return
    lines = [str(change) for change in changes]
    counts = {verb: sum(it.verb == verb for it in changes) for verb in ("add", "change", "delete")}
    after = {"changes": lines[:MOST_TOLD], **{verb: count for verb, count in counts.items() if count}}
    record_event("setup.changed", of=of, by=by, name=name, after=after)


def counted(changes: Sequence[Change], what: str) -> list[Change]:
    """A line per verb in the place of a line per thing."""
    found: dict[tuple[type[Model], Verb], int] = {}
    for change in changes:
        found[change.model, change.verb] = found.get((change.model, change.verb), 0) + 1
    done = {"add": "added", "change": "changed", "delete": "removed"}
    return [Change(model, verb, f"{what} {done[verb]}: {number}") for (model, verb), number in found.items()]


def sign_versions() -> None:
    """Let the history know who writes, where `told_as_one` has not said so."""
    if not _AS_ONE.get():
        write_as()


@transaction.atomic
def save_named(model: type[Model], code: str, values: Mapping[str, object]) -> list[Change]:
    """Make or change a row by its code, sealed; nothing where nothing differs."""
    name = str(model._meta.verbose_name)
    row = model._default_manager.filter(code=code).first()
    changed = [key for key, value in values.items() if row is None or getattr(row, key) != value]
    if row is not None and not changed:
        return []
    verb: Verb = "change" if row else "add"
    before = {key: _shown(getattr(row, key)) for key in changed} if row else None
    row = row or model(code=code)
    for key in changed:
        setattr(row, key, values[key])
    _check(row)
    sign_versions()
    row.save()
    custody.seal([row])
    said = f"changed {', '.join(changed)}" if verb == "change" else "created"
    after = {key: _shown(values[key]) for key in changed}
    return tell([Change(model, verb, f"{name} {code}: {said}")], of=row, before=before, after=after)


def _shown(value: object) -> object:
    """A value as the audit log keeps it: another thing by its name."""
    return str(value) if isinstance(value, Model) else value


def _check(row: Model) -> None:
    """Hold the values to their fields; what is empty may be so."""
    empty = [field.name for field in row._meta.fields if not getattr(row, field.attname) and field.name != "code"]
    try:
        row.clean_fields(exclude=empty)
    except ValidationError as error:
        sentences = [f"{name}: {' '.join(told)}" for name, told in error.message_dict.items()]
        raise ChangeRefused(" ".join(sentences)) from None
