"""Search by key over everything that a person may see: keys that break or are stored, by their beginning."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from psycopg import sql

from ingestion.models import RecordType
from ingestion.models.record_type import opened_fields_of
from ingestion.shape import Leaf
from reconciliation.models import Access, Break, Reconciliation, access_to
from reconciliation.store.current import joins, key_text, leaf_sql
from reconciliation.store.tables import StoreTable, postgres_type, store_table, targets
from reconciliation.store.wanted import key_parts
from reconciliation.values import BadValue, canonical_value
from review.journey_breaks import state_words

MOST = 50
LOOKED = 5000  # stored rows that are looked at, so that a search never walks through all that other teams stored
LONGEST = 2000  # characters; no key is longer (reconciliation/store/conflicts.py)


@dataclass(frozen=True)
class Hit:
    """A key in a reconciliation: how it stands there, and the business date of what said so last."""

    key: str
    reconciliation: Reconciliation
    state: str
    tone: str
    date: dt.date


@dataclass(frozen=True)
class Found:
    """The hits by key, at most `MOST`; `is_cut` where there are more; `loading`: the record types whose stored rows were not looked
    through, since a large load has their table for itself."""

    hits: Sequence[Hit]
    is_cut: bool
    loading: Sequence[str] = ()


def search_keys(reconciliations: Sequence[Reconciliation], text: str) -> Found:
    """The keys of what a person entered that begin with a text, in two queries over indexes that stop after `MOST` hits each; the whole key comes first.

    Delivered rows that never broke and are not stored (out of scope, superseded) are found by a journey, by their whole key.
    """
    if not text or len(text) > LONGEST or "\0" in text or not reconciliations:
        return Found((), is_cut=False)
    by_id = {it.pk: it for it in reconciliations}
    loading = _loading(reconciliations)
    searched = [it for it in reconciliations if it.record_type.pk not in loading]
    broken, (stored, is_much) = _breaks(access_to(reconciliations), text), _stored(searched, text)
    found: dict[tuple[str, int], Hit] = {}
    for key, owner, date in stored:
        found[key, owner] = Hit(key, by_id[owner], "Stored", "ok", date)
    for key, owner, state, band, date in broken:  # the newest episode first
        if (key, owner) not in found or state in Break.OPEN_STATES:
            found[key, owner] = Hit(key, by_id[owner], *state_words(state, band), date)
    hits = sorted(found.values(), key=lambda hit: (hit.key != text, hit.key, hit.reconciliation.code))
    is_cut = is_much or max(len(hits), len(broken), len(stored)) > MOST
    return Found(hits[:MOST], is_cut, sorted(loading.values()))


def _loading(reconciliations: Sequence[Reconciliation]) -> dict[int, str]:
    """The record types, by id, of which a load has a table for itself until it ends: whoever looks there waits as long."""
    with connection.cursor() as cursor:
        cursor.execute(_ALONE)
        taken = {name for (name,) in cursor.fetchall()}
    types = {it.record_type for it in reconciliations} if taken else set()
    tables = {it: store_table(it) for it in types}
    return {it.pk: it.label or it.code for it, table in tables.items() if taken & set(_read(table))}


def _read(table: StoreTable) -> Iterator[str]:
    yield table.versions
    yield from (it.base for it in targets(table) if it.has_identity)


_ALONE = """
SELECT relname FROM pg_locks JOIN pg_class ON pg_class.oid = relation
WHERE mode = 'AccessExclusiveLock' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND relnamespace = to_regnamespace('store') AND pid <> pg_backend_pid()
"""


def prefix_pattern(text: str) -> str:
    """The LIKE pattern of texts that begin so."""
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"


def _near(column: str) -> str:
    """SQL of the breaks by the beginning of their key, of each value of a column."""
    return f"""
SELECT b.* FROM unnest(%({column})s::bigint[]) AS owner (id) CROSS JOIN LATERAL (
  SELECT key, id, reconciliation_id, state, band, last_run_id FROM reconciliation_break
  WHERE {column} = owner.id AND key LIKE %(pattern)s ORDER BY key USING ~<~, id DESC LIMIT %(most)s
) b"""


_BREAKS = f"""
SELECT b.key, b.reconciliation_id, b.state, b.band, run.business_date
FROM ({_near("reconciliation_id")} UNION ALL {_near("scope_id")}) b JOIN reconciliation_run run ON run.id = b.last_run_id
ORDER BY b.key USING ~<~, b.id DESC LIMIT %(most)s
"""


def _breaks(seen: Access, text: str) -> list[tuple[str, int, str, str, dt.date]]:
    """Episodes by key, over the indexes `break_by_key` and `break_by_key_of_scope`."""
    given = {"reconciliation_id": list(seen.whole), "scope_id": list(seen.scopes)}
    with connection.cursor() as cursor:
        cursor.execute(_BREAKS, {**given, "pattern": prefix_pattern(text), "most": MOST + 1})
        newest: dict[tuple[str, int], tuple[str, int, str, str, dt.date]] = {}
        for line in cursor.fetchall():
            newest.setdefault((line[0], line[1]), line)
        return list(newest.values())


def _stored(reconciliations: Sequence[Reconciliation], text: str) -> tuple[list[tuple[str, int, dt.date]], bool]:
    """Keys of current rows that runs of these reconciliations stored, over the stores' indexes on the current keys; and whether
    there were too many to look at."""
    types = {it.record_type.pk: it.record_type for it in reconciliations}
    for pk, fields in opened_fields_of(list(types.values())).items():
        types[pk].kept_fields = fields
    given: dict[str, Any] = {"most": MOST + 1, "looked": LOOKED}
    of_type: dict[int, list[Reconciliation]] = defaultdict(list)
    for it in reconciliations:
        of_type[it.record_type.pk].append(it)
    asked = [_of_type(types[pk], owners, text, given) for pk, owners in of_type.items()]
    parts = [it for it in asked if it is not None]
    if not parts:
        return [], False
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(parts), given)
        lines = cursor.fetchall()
        return [line for line in lines if line[0] is not None], any(line[0] is None for line in lines)


def _of_type(
    record_type: RecordType, owners: Sequence[Reconciliation], text: str, given: dict[str, Any]
) -> sql.Composable | None:
    """SQL of a type's hits (key, reconciliation, date); None where no key of the type begins so. Puts its values into `given`."""
    table = store_table(record_type)
    if not table.has_versions:
        return None
    conditions = _conditions(table, f"t{record_type.pk}_", text, given)
    if conditions is None:
        return None
    return sql.SQL(
        "(WITH near AS MATERIALIZED (SELECT {key} AS key, v._run, v._date, {values} AS held FROM {rows} v {joins} "
        "WHERE v._valid_to IS NULL AND {conditions} ORDER BY {first} LIMIT %(looked)s) "
        "(SELECT near.key, run.reconciliation_id, near._date FROM near JOIN reconciliation_run run ON run.id = near._run "
        "AND ({seen}) ORDER BY near.key LIMIT %(most)s) "
        "UNION ALL SELECT NULL, NULL, NULL FROM near HAVING count(*) = %(looked)s)"
    ).format(
        values=sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(_held(table, owners))),
        seen=sql.SQL(" OR ").join(_seen(owners, given)),
        key=key_text(table),
        rows=table.name(table.versions),
        joins=joins(table, None),
        conditions=sql.SQL(" AND ").join(conditions),
        first=leaf_sql(table, table.shape.key_leaves[0]),
    )


def _held(table: StoreTable, owners: Sequence[Reconciliation]) -> Iterator[sql.Composable]:
    """The values of a row that say who sees it: by name, of those of which the person sees a part."""
    by_name = {leaf.name: leaf for leaf in table.shape.leaves}
    for name in sorted({it.scope for it in owners if not it.is_whole} & set(by_name)):
        yield sql.SQL("{}, {}").format(sql.Literal(name), leaf_sql(table, by_name[name]))


def _seen(owners: Sequence[Reconciliation], given: dict[str, Any]) -> Iterator[sql.Composable]:
    """SQL of whether a person sees what a run stored. Puts its values into `given`."""
    given[whole := f"whole{owners[0].pk}"] = [it.pk for it in owners if it.is_whole]
    yield sql.SQL("run.reconciliation_id = ANY({})").format(sql.Placeholder(whole))
    for it in owners:
        if not it.is_whole:
            given[values := f"values{it.pk}"] = list(it.seen_values)
            yield sql.SQL("run.reconciliation_id = {} AND coalesce(near.held ->> {}, '') = ANY({})").format(
                sql.Literal(it.pk), sql.Literal(it.scope), sql.Placeholder(values)
            )


def _conditions(table: StoreTable, prefix: str, text: str, given: dict[str, Any]) -> list[sql.Composable] | None:
    """Each whole part of the key equals its field, the last one begins it; None where a part can be no value of its field."""
    leaves = table.shape.key_leaves
    parts = key_parts(text, len(leaves))
    if len(parts) > len(leaves):
        return None
    made: list[sql.Composable] = []
    for number, (leaf, part) in enumerate(zip(leaves, parts, strict=False)):
        name, is_last = f"{prefix}{number}", number == len(parts) - 1
        column = leaf_sql(table, leaf)
        if is_last and leaf.kind == "text":
            given[name] = prefix_pattern(part)
            made.append(sql.SQL("{} LIKE {}").format(column, sql.Placeholder(name)))
        elif (value := _value(leaf, part)) is None:
            return None
        else:
            given[name] = value
            made.append(sql.SQL("{} = {}::" + postgres_type(leaf)).format(column, sql.Placeholder(name)))
    return made


def _value(leaf: Leaf, text: str) -> str | None:
    try:
        return canonical_value(replace(leaf, choices=()), text)
    except BadValue:
        return None


def only_hit(found: Found, text: str) -> Hit | None:
    """The hit that leaves no question: the only one, when it is the whole key."""
    hits: Iterable[Hit] = found.hits
    return next(iter(hits)) if len(found.hits) == 1 and found.hits[0].key == text else None
