"""Taking back what an undone decision stored, or what passed and was rejected afterwards: its version ends, and what stood before it
is stored again, as the next version. Nothing is deleted, and `verify` knows each version that ended without another one in its place."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from django.db import connection
from psycopg import sql

from ingestion import custody
from ingestion.models import Field
from reconciliation.models import Break, Member, Retraction, RunStep
from reconciliation.store.current import joins, key_text, stored_versions
from reconciliation.store.load import lock_whole
from reconciliation.store.seals import seal_postgres
from reconciliation.store.tables import Column, StoreRefusal, StoreTable, references, store_table

STANDING = (Break.State.APPROVED, Break.State.PASSED)


@dataclass(frozen=True)
class Undone:
    """The decision that is taken back: what it was about, when it was made, and the record that it stored, if any."""

    decision: int
    run: int
    brk: Break
    decided_at: dt.datetime
    record: Mapping[str, str | None] | None


def take_back(undone: Undone) -> None:
    """Take back what the decision stored, under `lock_places`: its record, and what the record alone said of its references.
    Nothing where it stored nothing. StoreRefusal where a newer version stands."""
    record_type = undone.brk.reconciliation.record_type
    table = store_table(record_type)
    if table.has_identity:
        lock_whole(table)
    versions = stored_versions(record_type, undone.brk.key)
    current = next((it for it in versions if it["_valid_to"] is None), None)
    is_ours = current is not None and current["_decision"] == undone.decision
    overtaken = any(it["_decision"] == undone.decision for it in versions) and not is_ours
    if overtaken or (current is not None and not is_ours and current["_valid_from"] > undone.decided_at):  # type: ignore[operator]
        raise StoreRefusal(f"A newer version of {undone.brk.key} is stored by now.")
    if current is None:
        return _give_back(undone)
    said = _references_of(table, current["_id"])  # type: ignore[arg-type]
    ending: list[tuple[StoreTable, int]] = [(table, current["_id"])] if is_ours else []  # type: ignore[list-item]
    for column in sorted(references(table), key=_type_referred_to):  # locked in the order in which a load locks them
        if (identity := said[column.name]) is not None:
            ending += _references_to_end(table, column, identity, undone)
    moment = _moment(ending)
    for each, row in dict.fromkeys(ending):
        _end(each, row, moment, undone)


def _type_referred_to(column: Column) -> int:
    assert column.reference is not None
    return column.reference.record_type.pk


@dataclass(frozen=True)
class Passed:
    """A stored version of a record that passed: its row, and since when it stands."""

    row: int
    since: dt.datetime


def passed_version(brk: Break, run: int, again: Set[object]) -> Passed | None:
    """The current version that a run stored when the break passed; None where the key has none. `again`: decisions that rejected it
    and were undone, since when it is theirs. StoreRefusal where another one stands."""
    versions = stored_versions(brk.reconciliation.record_type, brk.key)
    current = next((it for it in versions if it["_valid_to"] is None), None)
    if current is None:
        return None
    decision = current["_decision"]
    if decision not in again if decision else current["_run"] != run:
        by = f"decision {decision}" if decision else f"run {current['_run']}"
        raise StoreRefusal(f"The store holds {brk.key} by {by}, not by what passed in run {run}.")
    return Passed(current["_id"], current["_valid_from"])  # type: ignore[arg-type]


def take_back_pass(passed: Passed, rejection: Undone) -> None:
    """Take back what passed, for the decision that rejects it. What the record said of things that it refers to stays: other records
    of the run may have said it too."""
    table = store_table(rejection.brk.reconciliation.record_type)
    if table.has_identity:
        lock_whole(table)
    _end(table, passed.row, _moment([(table, passed.row)]), rejection)


def _give_back(undone: Undone) -> None:
    """Store again what a rejection took out with nothing in its place."""
    record_type = undone.brk.reconciliation.record_type
    taken = Retraction.objects.of(record_type).filter(decision=undone.decision, restored=None).first()
    if taken is not None:
        table = store_table(record_type)
        _store_copy(table, taken.row, _moment([(table, taken.row)]), undone, sql.SQL("p._id = v._id"))


def _references_of(table: StoreTable, row: int) -> Mapping[str, int | None]:
    """The identities that a stored row refers to, by field."""
    names = [column.name for column in references(table)]
    if not names:
        return {}
    with connection.cursor() as cursor:
        listed = sql.SQL(", ").join(map(sql.Identifier, names))
        cursor.execute(sql.SQL("SELECT {} FROM {} WHERE _id = %s").format(listed, table.name(table.versions)), [row])
        return dict(zip(names, cursor.fetchone(), strict=True))


def _references_to_end(
    table: StoreTable, column: Column, identity: int, undone: Undone
) -> Iterator[tuple[StoreTable, int]]:
    """What the record said of a referred-to thing goes with it, unless somebody else may have said the same since."""
    target = column.reference
    assert target is not None
    if not target.has_attributes or (row := _said_by(target, identity, undone)) is None:
        return
    lock_whole(target)
    if _said_by(target, identity, undone) == row and not _is_said_again(table, column, undone):
        yield target, row


def _said_by(target: StoreTable, identity: int, undone: Undone) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT _id FROM {} WHERE _identity = %s AND _valid_to IS NULL AND _decision = %s").format(
                target.name(target.versions)
            ),
            [identity, undone.decision],
        )
        found = cursor.fetchone()
    return found[0] if found else None


def _is_said_again(table: StoreTable, column: Column, undone: Undone) -> bool:
    """Whether a run, or another record that passed or was approved, may have said the same of it since: that leaves no trace."""
    assert column.reference is not None
    target = column.reference.record_type
    types = {*Field.objects.filter(refers_to=target).values_list("record_type", flat=True), target.pk}
    since = RunStep.objects.filter(run__reconciliation__a__record_type__in=types, finished_at__gt=undone.decided_at)
    named = {leaf.name: (undone.record or {}).get(leaf.name) for leaf in column.key_leaves}
    closed = Break.objects.filter(
        reconciliation__a__record_type__in=types, state__in=STANDING, closed_at__gt=undone.decided_at
    ).exclude(pk=undone.brk.pk)
    mine = closed.filter(reconciliation__a__record_type=table.record_type)
    naming = Member.objects.filter(brk__in=mine, current=True, record__contains=named)
    return since.exists() or naming.exists() or closed.exclude(pk__in=mine).exists()


def _moment(ending: Iterable[tuple[StoreTable, int]]) -> dt.datetime:
    """When the versions end and those before them begin again: now, and after the beginning of each."""
    begun = [
        sql.SQL("(SELECT _valid_from + interval '1 microsecond' FROM {} WHERE _id = {})").format(
            table.name(table.versions), sql.Literal(row)
        )
        for table, row in ending
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT greatest({})").format(sql.SQL(", ").join([sql.SQL("clock_timestamp()"), *begun]))
        )
        return cursor.fetchone()[0]


def _end(table: StoreTable, row: int, moment: dt.datetime, undone: Undone) -> None:
    """End a current version, and store again what stood when it began."""
    key, bucket, version = _ended(table, row, moment)
    restored = version + 1 if _store_again(table, row, moment, undone) else None
    retraction = Retraction.objects.create(
        record_type=table.record_type,
        generation=table.record_type.generation,
        row=row,
        key=key,
        bucket=bucket,
        version=version,
        restored=restored,
        decision=undone.decision,
        at=moment,
    )
    custody.seal([retraction])


def _ended(table: StoreTable, row: int, moment: dt.datetime) -> tuple[str, int, int]:
    """End the version: its key, bucket and number."""
    ended = sql.SQL("UPDATE {} SET _valid_to = %s WHERE _id = %s").format(table.name(table.versions))
    told = sql.SQL("SELECT {}, v._bucket, v._version FROM {} v {} WHERE v._id = %s").format(
        key_text(table), table.name(table.versions), joins(table, None)
    )
    with connection.cursor() as cursor:
        cursor.execute(ended, [moment, row])
        cursor.execute(told, [row])
        return cursor.fetchone()


def _store_again(table: StoreTable, row: int, moment: dt.datetime, undone: Undone) -> bool:
    """Store the values of the version that ended when this one began, as the next one. Whether there is one."""
    same = sql.SQL(" AND ").join(
        sql.SQL("p.{} = v.{}").format(sql.Identifier(name), sql.Identifier(name)) for name in table.row_key
    )
    before = "{} AND p._version = v._version - 1 AND p._valid_to = v._valid_from AND p._valid_to IS NOT NULL"
    return _store_copy(table, row, moment, undone, sql.SQL(before).format(same))


def _store_copy(table: StoreTable, row: int, moment: dt.datetime, undone: Undone, which: sql.Composable) -> bool:
    """Store the values of `which` version p as the one after row v. Whether there is one."""
    own = ["_identity"] if table.has_identity else []
    names = [sql.Identifier(name) for name in [*own, *(column.name for column in table.version_columns)]]
    technical = ("_version", "_bucket", "_run", "_decision", "_date", "_valid_from", "_hash")
    columns = sql.SQL(", ").join([*names, *map(sql.Identifier, technical)])
    before = sql.SQL(
        "SELECT {names}, v._version + 1 AS _version, p._bucket, %s::bigint AS _run, %s::bigint AS _decision, p._date, "
        "%s::timestamptz AS _valid_from, p._hash FROM {table} v JOIN {table} p ON {which} WHERE v._id = %s"
    ).format(
        names=sql.SQL(", ").join(sql.SQL("p.{}").format(name) for name in names),
        table=table.name(table.versions),
        which=which,
    )
    statement = sql.SQL("INSERT INTO {table} ({columns}, _seal) SELECT {columns}, {seal} FROM ({before}) n").format(
        table=table.name(table.versions), columns=columns, seal=sql.SQL(seal_postgres("n")), before=before
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [undone.run, undone.decision, moment, row])
        return bool(cursor.rowcount)
