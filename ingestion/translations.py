"""Value maps, written: which code of the other side a source's code stands for."""

from collections.abc import Collection, Mapping

from django.db import transaction

from ingestion import custody
from ingestion.changes import Change, ChangeRefused, counted, sign_versions, tell
from ingestion.models import CodeTranslation, Source
from ingestion.suggestion import nearest


def translated_fields(source: Source) -> list[str]:
    """The fields whose values may be translated: those that are compared."""
    return [compared.name for compared in source.record_type.shape().compared]


def check_field(source: Source, field: str) -> None:
    """ChangeRefused names the field that was meant."""
    known = translated_fields(source)
    if field not in known:
        raise ChangeRefused(
            f"field: record type {source.record_type.code!r} compares no field {field!r}{nearest(field, known)}"
        )


@transaction.atomic
def put_translation(*, source: Source, field: str, a_value: str, b_value: str) -> list[Change]:
    """Add an entry, or give the other side's value another translation."""
    check_field(source, field)
    held = source.translations.filter(field=field, a_value=a_value).first()
    if held is not None and held.b_value == b_value:
        return []
    before = {"b_value": held.b_value} if held else None
    entry = held or CodeTranslation(source=source, field=field, a_value=a_value)
    entry.b_value = b_value
    sign_versions()
    entry.save()
    custody.seal([entry])
    said = f"source {source}: {field} {a_value} = {b_value} {'changed' if held else 'added'}"
    change = Change(CodeTranslation, "change" if held else "add", said)
    return tell([change], of=entry, before=before, after={"field": field, "a_value": a_value, "b_value": b_value})


@transaction.atomic
def drop_translations(*, source: Source, ids: Collection[int]) -> list[Change]:
    """Take entries out of a source's value maps."""
    gone = list(source.translations.filter(pk__in=ids))
    said = [change for entry in gone for change in _dropped(entry)]
    sign_versions()
    source.translations.filter(pk__in=ids).delete()
    custody.forget(CodeTranslation, [entry.pk for entry in gone])
    return said


def _dropped(entry: CodeTranslation) -> list[Change]:
    before = {"field": entry.field, "a_value": entry.a_value, "b_value": entry.b_value}
    return tell([Change(CodeTranslation, "delete", f"{entry} removed")], of=entry, before=before, after=None)


@transaction.atomic
def define_translations(*, source: Source, wanted: Mapping[str, Mapping[str, str]]) -> list[Change]:
    """Make a source's value maps (field to A's value to B's) what they are said to be."""
    entries = {(field, str(a)): str(b) for field, values in wanted.items() for a, b in values.items()}
    gone = [it.pk for it in source.translations.all() if (it.field, it.a_value) not in entries]
    put = [
        change
        for (field, a_value), b_value in entries.items()
        for change in put_translation(source=source, field=field, a_value=a_value, b_value=b_value)
    ]
    dropped = drop_translations(source=source, ids=gone)
    return counted([*put, *dropped], f"source {source}: code translations")
