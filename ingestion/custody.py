"""Custody: every row that an auditor may ask about carries a seal, and `verify` names the one that no longer fits it.

A seal is the digest of a row (or of a break with everything that hangs on it) as a service last wrote it. A service
seals in the transaction in which it writes; a change or deletion by hand leaves the seal behind.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from django.db import connection
from django.db.models import Model

from ingestion.models import (
    AlertTarget,
    Calendar,
    ClaimedWork,
    CodeTranslation,
    Deadline,
    Delivery,
    Field,
    Holiday,
    Mapping,
    MappingProposal,
    Normalization,
    QuarantinedRow,
    RecordType,
    Repair,
    RepairedCell,
    Source,
    Tombstone,
)
from ingestion.prepared import kept_rows

CLAIM_COLUMNS = "{lease_until,worker,attempts,fence,started_at}"  # a claim in progress is no statement of fact

FEW, MANY = 10, 1000  # a decision seals few; a run's thousands are looked up together
OF_IDS = "{column} = ANY(%(ids)s)"


@dataclass(frozen=True)
class Custody:
    """A kind of sealed thing: a row, or a whole with the rows that hang on it.

    `select` is SQL of (id, digest), `parts` are SQL of (id of the whole, hash of a row), the first of the whole itself;
    `{ids}` stands where a filter on the ids belongs.
    """

    kind: str
    name: str
    select: str = ""
    parts: tuple[str, ...] = ()

    def digests(self, condition: str) -> str:
        """SQL of (id, digest) of the things whose id, `{column}`, meets the condition. Parts without their whole have none."""
        if not self.parts:
            return _where(self.select, condition)
        rows = _where(
            " UNION ALL ".join(
                f"SELECT id, part, {number == 0} AS is_whole FROM ({part}) p{number} (id, part)"
                for number, part in enumerate(self.parts)
            ),
            condition,
        )
        digest = "md5(concat_ws('|', count(*), sum(part)))::uuid"  # of any order, so nothing has to be sorted
        return f"SELECT id, {digest} AS digest FROM ({rows}) AS r GROUP BY id HAVING bool_or(is_whole)"


def _where(select: str, condition: str) -> str:
    """The SQL with the condition on each column before `{ids}`."""
    return re.sub(r"([\w.]+) \{ids\}", lambda found: condition.replace("{column}", found[1]), select)


_KINDS: dict[str, Custody] = {}


def register_whole(kind: str, name: str, *parts: str) -> None:
    """Put a kind under custody that has parts."""
    _KINDS[kind] = Custody(kind, name, parts=parts)


def add_parts(kind: str, *parts: str) -> None:
    """Put rows that hang on a whole under its seal."""
    _KINDS[kind] = replace(_KINDS[kind], parts=(*_KINDS[kind].parts, *parts))


def register_model(*models: type[Model]) -> None:
    """Put plain tables under custody, a seal a row."""
    for model in models:
        table = model._meta.db_table
        volatile = CLAIM_COLUMNS if issubclass(model, ClaimedWork) else "{}"
        content = f"md5(jsonb_strip_nulls(to_jsonb(t) - '{volatile}'::text[])::text)::uuid"
        select = f'SELECT t.id, {content} AS digest FROM "{table}" t WHERE t.id {{ids}}'
        _KINDS[table] = Custody(table, str(model._meta.verbose_name), select)


def seal(instances: Iterable[Model]) -> None:
    """Seal rows as they stand in the database now. Call it in the transaction that wrote them."""
    for table, group in groupby(instances, key=lambda instance: instance._meta.db_table):
        seal_ids(table, [instance.pk for instance in group])


def seal_ids(kind: str, ids: Sequence[int], *, first: bool = False) -> None:
    """Seal the things of a kind by their ids. `first`: none of them bears a seal yet."""
    if not ids:
        return
    again = "" if first else " ON CONFLICT (kind, row_id) DO UPDATE SET digest = excluded.digest"
    sealing = (
        "INSERT INTO ingestion_seal (kind, row_id, digest) SELECT %(kind)s, id, digest FROM ({}) AS d ORDER BY id"
        + again
    )
    if len(ids) <= FEW:
        kept_rows(sealing.format(_KINDS[kind].digests(OF_IDS)), {"kind": kind, "ids": list(ids)})
        return
    with connection.cursor() as cursor:
        many = len(ids) > MANY
        if many:
            cursor.execute("CREATE TEMP TABLE sealing AS SELECT unnest(%s::bigint[]) AS id", [list(ids)])
            cursor.execute("ANALYZE sealing")  # else the planner looks up each of a hundred thousand by itself
        # the range spares reading whole tables: what is sealed at once was mostly numbered at once
        within = f"{{column}} BETWEEN {min(ids):d} AND {max(ids):d} AND {{column}} IN (SELECT id FROM sealing)"
        chosen = _KINDS[kind].digests(within if many else OF_IDS)
        cursor.execute(sealing.format(chosen), {"kind": kind} if many else {"kind": kind, "ids": list(ids)})
        if many:
            cursor.execute("DROP TABLE sealing")


def sound_ids(kind: str, within: str) -> list[int]:
    """Those of the ids that the SQL `within` gives whose seal fits."""
    digests = _KINDS[kind].digests(f"{{column}} IN ({within})")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT d.id FROM ({digests}) d JOIN ingestion_seal s ON s.row_id = d.id AND s.digest = d.digest AND s.kind = %s",
            [kind],
        )
        return [pk for (pk,) in cursor.fetchall()]


def row_hash(alias: str) -> str:
    """SQL of a row's 64-bit hash, without making a text of it."""
    return f"hash_record_extended({alias}, 0)"


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
    everything = custody.digests("{column} IS NOT NULL")
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
    RecordType,
    Field,
    Calendar,
    Holiday,
    Source,
    Mapping,
    MappingProposal,
    CodeTranslation,
    Delivery,
    Normalization,
    QuarantinedRow,
    Deadline,
    AlertTarget,
    Tombstone,
)
register_whole(
    Repair._meta.db_table,
    "repair",
    f"SELECT t.id, {row_hash('t')} FROM {Repair._meta.db_table} t WHERE t.id {{ids}}",
    f"SELECT t.repair_id, {row_hash('t')} FROM {RepairedCell._meta.db_table} t WHERE t.repair_id {{ids}}",
)
