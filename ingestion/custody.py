"""Custody: every row that an auditor may ask about carries a seal, and `verify` names the one that no longer fits it.

A seal is the digest of a row (or of a break with everything that hangs on it) as a service last wrote it. A service
seals in the transaction in which it writes; a change or deletion by hand leaves the seal behind.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db import connection
from django.db.models import Model

from ingestion.models import (
    Calendar,
    ClaimedWork,
    CodeTranslation,
    Delivery,
    Field,
    Holiday,
    Mapping,
    Normalization,
    QuarantinedRow,
    RecordType,
    Source,
)

CLAIM_COLUMNS = "{lease_until,worker,attempts,fence,started_at}"  # a claim in progress is no statement of fact

MANY = 1000


@dataclass(frozen=True)
class Custody:
    """A kind of sealed thing. `select` is SQL of (id, digest) with `{ids}` where a filter on the ids belongs."""

    kind: str
    name: str
    select: str


_KINDS: dict[str, Custody] = {}


def register(kind: str, name: str, select: str) -> Custody:
    """Put a kind under custody."""
    _KINDS[kind] = Custody(kind, name, select)
    return _KINDS[kind]


def register_model(*models: type[Model]) -> None:
    """Put plain tables under custody, a seal a row."""
    for model in models:
        table = model._meta.db_table
        volatile = CLAIM_COLUMNS if issubclass(model, ClaimedWork) else "{}"
        content = f"md5(jsonb_strip_nulls(to_jsonb(t) - '{volatile}'::text[])::text)::uuid"
        register(
            table,
            str(model._meta.verbose_name),
            f'SELECT t.id, {content} AS digest FROM "{table}" t WHERE t.id {{ids}}',
        )


def seal(instances: Iterable[Model]) -> None:
    """Seal rows as they stand in the database now. Call it in the transaction that wrote them."""
    for table, group in groupby(instances, key=lambda instance: instance._meta.db_table):
        seal_ids(table, [instance.pk for instance in group])


def seal_ids(kind: str, ids: Sequence[int]) -> None:
    """Seal the things of a kind by their ids."""
    if not ids:
        return
    with connection.cursor() as cursor:
        many = len(ids) > MANY
        if many:
            cursor.execute("CREATE TEMP TABLE sealing AS SELECT unnest(%s::bigint[]) AS id", [list(ids)])
            cursor.execute("ANALYZE sealing")  # else the planner looks up each of a hundred thousand by itself
        chosen = _KINDS[kind].select.replace("{ids}", "IN (SELECT id FROM sealing)" if many else "= ANY(%(ids)s)")
        cursor.execute(
            f"INSERT INTO ingestion_seal (kind, row_id, digest) SELECT %(kind)s, id, digest FROM ({chosen}) AS d ORDER BY id "
            "ON CONFLICT (kind, row_id) DO UPDATE SET digest = excluded.digest",
            {"kind": kind} if many else {"kind": kind, "ids": list(ids)},
        )
        if many:
            cursor.execute("DROP TABLE sealing")


def bits(alias: str) -> str:
    """SQL of a row's digest as a whole number, so that rows can be combined without an order."""
    return f"('x' || left(md5({alias}::text), 15))::bit(60)::bigint"


def combined(part: str) -> str:
    """SQL of one digest over the `bits` of several rows; no join and no sort, whatever the planner believes."""
    return f"md5(concat_ws('|', count(*), sum({part})))::uuid"


def forget(model: type[Model], ids: Sequence[int]) -> None:
    """Take the seals off rows that a service deletes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM ingestion_seal WHERE kind = %s AND row_id = ANY(%s)", [model._meta.db_table, list(ids)]
        )


def broken_seals() -> Iterator[str]:
    """A sentence for each row that was changed, deleted or added by hand."""
    for custody in _KINDS.values():
        yield from _broken(custody)


def _broken(custody: Custody) -> Iterator[str]:
    everything = custody.select.replace("{ids}", "IS NOT NULL")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(d.id, s.row_id), d.id IS NULL, s.row_id IS NULL FROM ({everything}) AS d "
            "FULL JOIN (SELECT row_id, digest FROM ingestion_seal WHERE kind = %s) AS s ON s.row_id = d.id "
            "WHERE d.digest IS DISTINCT FROM s.digest ORDER BY 1",
            [custody.kind],
        )
        for row_id, is_gone, is_unsealed in cursor:
            fate = "was deleted" if is_gone else "was added" if is_unsealed else "was changed"
            yield f"{custody.name} {row_id} {fate} by hand."


def kinds() -> tuple[Custody, ...]:
    """Every kind under custody."""
    return tuple(_KINDS.values())


register_model(
    RecordType, Field, Calendar, Holiday, Source, Mapping, CodeTranslation, Delivery, Normalization, QuarantinedRow
)
