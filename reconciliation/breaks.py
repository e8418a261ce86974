"""The life of breaks in a diff step: opened, kept with their decision, reopened with other values, closed."""

from dataclasses import dataclass

import duckdb
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils import timezone
from psycopg import sql

from ingestion.custody import forget
from ingestion.shape import Shape, canonical_sql
from ingestion.sql_text import literal
from reconciliation.bulk import analyze, copy_in, copy_out, number_rows
from reconciliation.custody import seal_breaks
from reconciliation.holds import end_holds
from reconciliation.inputs import Inputs
from reconciliation.models import Break, Difference, Run
from reconciliation.models.break_ import FATE_BY_BREAK
from reconciliation.rules import GateRules, Rules
from reconciliation.scoping import FAULT_SCOPE, is_as_planned, plan_scopes

OPEN, KEEP, CHANGE = "open", "keep", "change"


class Overtaken(Exception):
    """A person decided a break while the range was compared; the range is compared again."""


def plan(duck: duckdb.DuckDBPyConnection, given: Inputs, rules: Rules) -> None:
    """Create `fault` (one row per key that stands in a break, with what becomes of it), `fault_row` (its rows) and
    `closing` (open breaks whose key now agrees, or is gone)."""
    _find_faults(duck, given.shape, rules.gate)
    _find_rows(duck, given.shape)
    _find_episodes(duck, given)
    _find_closing(duck, given)
    plan_scopes(duck, given)


def _find_faults(duck: duckdb.DuckDBPyConnection, shape: Shape, gate: GateRules) -> None:
    names = {leaf.name: leaf for leaf in shape.leaves}
    amount = names[gate.amount_field].column if gate.amount_field in names else "NULL"
    currency = names[gate.currency_field].column if gate.currency_field in names else "NULL"
    cells = (
        "SELECT key, string_agg(concat_ws(chr(31), field, coalesce(value_a, chr(30)), coalesce(value_b, chr(30))), chr(29) "
        "ORDER BY field) AS digest FROM cell GROUP BY key"
    )
    refused = "SELECT key, string_agg(condition, ',' ORDER BY condition) AS digest FROM refusal GROUP BY key"
    duck.execute(
        f"CREATE TEMP TABLE wrong AS SELECT key, bucket, class, hash, CAST({amount} AS DECIMAL(38,10)) AS amount, "
        f"left(CAST({currency} AS VARCHAR), 20) AS currency FROM pair "
        "WHERE class IN ('differing', 'missing_in_a', 'missing_in_b') "
        "OR (class = 'matched' AND key IN (SELECT key FROM refusal))"
    )
    duck.execute(
        "CREATE TEMP TABLE fault_pair AS SELECT p.key, p.bucket, "
        "CASE WHEN p.class = 'matched' THEN 'gate' ELSE p.class END AS kind, "
        "md5(concat_ws(chr(28), kind, p.hash, coalesce(c.digest, ''), CASE WHEN kind = 'gate' THEN r.digest ELSE '' END)) "
        "AS fingerprint, p.hash, p.amount, p.currency "
        f"FROM wrong p LEFT JOIN ({cells}) c ON c.key = p.key LEFT JOIN ({refused}) r ON r.key = p.key"
    )


def _find_rows(duck: duckdb.DuckDBPyConnection, shape: Shape) -> None:
    """The delivered rows of every fault, as JSON; the rows of repeated keys make the duplicate faults."""
    duck.execute("CREATE TEMP TABLE fault_key AS SELECT key FROM fault_pair UNION ALL SELECT key FROM repeated_key")
    parts = " UNION ALL ".join(
        f"SELECT key, bucket, {literal(side)} AS side, delivery, n, {_json(shape, canonical=True)} AS record, "
        f"{_json(shape, canonical=False)} AS raw, flags, "
        f"row_number() OVER (PARTITION BY key ORDER BY delivery, n) AS position "
        f"FROM {side} WHERE delivery <> 0 AND key IN (SELECT key FROM fault_key)"
        for side in ("a", "b")
    )
    duck.execute(f"CREATE TEMP TABLE fault_row AS {parts}")
    duck.execute(
        "CREATE TEMP TABLE found AS SELECT * FROM fault_pair UNION ALL SELECT key, min(bucket), 'duplicate', "
        "md5(string_agg(side || md5(CAST(record AS VARCHAR)), '' ORDER BY side, position)), '', NULL, NULL "
        "FROM fault_row WHERE key IN (SELECT key FROM repeated_key) GROUP BY key"
    )


def _json(shape: Shape, *, canonical: bool) -> str:
    parts = ", ".join(
        f"{literal(leaf.name)}, {canonical_sql(leaf, leaf.column) if canonical else 'raw_' + leaf.column}"
        for leaf in shape.leaves
    )
    return f"json_object({parts})" if canonical else f"json_merge_patch('{{}}', json_object({parts}))"


def _find_episodes(duck: duckdb.DuckDBPyConnection, given: Inputs) -> None:
    """What the latest break of each faulty key says: nothing yet, the same values, or others."""
    _push_keys(duck)
    copy_out(
        duck,
        "SELECT DISTINCT ON (b.key) b.key, b.id, b.state, b.fingerprint FROM reconciliation_break b "
        "JOIN fault_keys k USING (key) WHERE b.reconciliation_id = %s ORDER BY b.key, b.id DESC",
        "episode",
        {"key": "VARCHAR", "break_id": "BIGINT", "seen_state": "VARCHAR", "seen_fingerprint": "VARCHAR"},
        [given.run.reconciliation_id],
    )
    duck.execute(
        "CREATE TEMP TABLE fault AS SELECT f.*, e.break_id, e.seen_state, e.seen_fingerprint, "
        f"CASE WHEN e.break_id IS NULL OR e.seen_state = '{Break.State.CLOSED}' THEN '{OPEN}' "
        f"WHEN e.seen_fingerprint = f.fingerprint AND e.seen_state <> '{Break.State.IN_FLIGHT}' THEN '{KEEP}' "
        f"ELSE '{CHANGE}' END AS action FROM found f LEFT JOIN episode e USING (key)"
    )


def _push_keys(duck: duckdb.DuckDBPyConnection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS fault_keys")
        cursor.execute("CREATE TEMP TABLE fault_keys (key text)")
    copy_in(duck, "SELECT key FROM found ORDER BY key", sql.Identifier("fault_keys"), ["key"])


def _find_closing(duck: duckdb.DuckDBPyConnection, given: Inputs) -> None:
    """Open breaks whose key agrees now; under snapshots also those gone from every side that they stand on."""
    duck.execute(
        "CREATE TEMP TABLE closing AS SELECT m.break_id, m.key, CASE WHEN p.class = 'confirmed' THEN 'confirmed' "
        "WHEN bool_or(m.kind LIKE 'missing%') AND bool_or(p.a_carried OR p.b_carried) THEN 'matched late' ELSE 'matched' END "
        "AS because FROM open_member m JOIN pair p ON p.key = m.key "
        "WHERE p.class = 'confirmed' OR (p.class = 'matched' AND p.key NOT IN (SELECT key FROM refusal)) "
        "GROUP BY m.break_id, m.key, p.class"
    )
    if given.snapshots:
        gone = ", ".join(map(literal, sorted(given.snapshots)))
        duck.execute(
            "INSERT INTO closing SELECT break_id, key, 'gone' FROM open_member "
            "WHERE key NOT IN (SELECT key FROM fresh_a UNION ALL SELECT key FROM fresh_b) "
            f"GROUP BY break_id, key HAVING bool_and(side IN ({gone}))"
        )


def write(duck: duckdb.DuckDBPyConnection, given: Inputs) -> None:
    """Write what `plan` found, in the caller's transaction; Overtaken when a person was faster."""
    if not is_as_planned(given):
        raise Overtaken
    duck.execute("CREATE TEMP TABLE opening AS SELECT * EXCLUDE (break_id) FROM fault WHERE action = 'open'")
    number_rows(duck, "opening", "reconciliation_break", "opened")
    duck.execute(
        "CREATE TEMP TABLE placed AS SELECT id AS break_id, key, action, '' AS seen_state, kind FROM opened "
        "UNION ALL SELECT break_id, key, action, seen_state, kind FROM fault WHERE action <> 'open'"
    )
    _open(duck, given)
    touched = _touch(duck, given)
    _write_members(duck, given, touched=touched)
    _write_differences(duck, given, touched=touched)
    _write_refusals(duck, given)


def _open(duck: duckdb.DuckDBPyConnection, given: Inputs) -> None:
    run, now = given.run, timezone.now().isoformat()
    copy_in(
        duck,
        f"SELECT id, {run.reconciliation_id}, key, bucket, kind, '{Break.State.IN_FLIGHT}', fingerprint, hash, {run.pk}, {run.pk}, "
        f"{literal(now)}, '', '', '', amount, coalesce(currency, ''), scope FROM opened "
        f"LEFT JOIN {FAULT_SCOPE} USING (key) ORDER BY id",
        sql.Identifier("reconciliation_break"),
        ["id", "reconciliation_id", "key", "bucket", "kind", "state", "fingerprint", "hash", "opened_run_id", "last_run_id",
         "opened_at", "closed_because", "band", "reason", "amount", "currency", "scope_id"],
    )  # fmt: skip


_TOUCHED = [
    "break_id", "action", "kind", "fingerprint", "hash", "amount", "currency", "seen_state", "seen_fingerprint", "scope",
]  # fmt: skip


def _touch(duck: duckdb.DuckDBPyConnection, given: Inputs) -> int:
    """Update the breaks that are kept or changed, if they are still as they were read. Gives how many."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS touched")
        cursor.execute(
            "CREATE TEMP TABLE touched (break_id bigint, action text, kind text, fingerprint text, hash text, "
            "amount numeric, currency text, seen_state text, seen_fingerprint text, scope bigint)"
        )
        columns = ", ".join(_TOUCHED).replace("currency", "coalesce(currency, '')")
        query = f"SELECT {columns} FROM fault LEFT JOIN {FAULT_SCOPE} USING (key) WHERE action <> '{OPEN}' ORDER BY break_id"
        count = copy_in(duck, query, sql.Identifier("touched"), _TOUCHED)
        if count:
            if _update_touched(cursor, given.run.pk) != count:
                raise Overtaken
            _retire_what_changed(cursor, given.run.pk)
    return count


def _update_touched(cursor: CursorWrapper, run_id: int) -> int:
    """Bring the breaks to what the run found. Gives how many were still as they were read."""
    same = "b.id = t.break_id AND b.state = t.seen_state AND b.fingerprint = t.seen_fingerprint"
    cursor.execute(
        "UPDATE reconciliation_break b SET last_run_id = %s, scope_id = t.scope FROM touched t "
        f"WHERE {same} AND t.action = '{KEEP}'",
        [run_id],
    )
    kept = cursor.rowcount
    cursor.execute(
        "UPDATE reconciliation_break b SET last_run_id = %s, kind = t.kind, fingerprint = t.fingerprint, hash = t.hash, "
        "amount = t.amount, currency = t.currency, scope_id = t.scope, state = 'in_flight', closed_at = NULL, closed_because = '', "
        "due_at = CASE WHEN b.state = 'review' THEN b.due_at END, "
        f"confidence = NULL, band = '', reason = '' FROM touched t WHERE {same} AND t.action = '{CHANGE}'",
        [run_id],
    )
    return int(kept + cursor.rowcount)


def _retire_what_changed(cursor: CursorWrapper, run_id: int) -> None:
    """What was said of the earlier values stays as history, and a hold was about them, too."""
    for table in ("reconciliation_difference", "reconciliation_gaterefusal"):
        cursor.execute(
            f"UPDATE {table} c SET current = false FROM touched t "
            f"WHERE c.break_id = t.break_id AND t.action = '{CHANGE}' AND c.current"
        )
    cursor.execute(f"SELECT break_id FROM touched WHERE action = '{CHANGE}'")
    changed = [row[0] for row in cursor.fetchall()]
    end_holds(changed, f"run {run_id} found other values")
    forget(Break, changed)


_MEMBERS = (
    "SELECT p.break_id, r.side, r.delivery, r.n, {run}, "
    "CASE WHEN r.position > 1 THEN 'duplicate' ELSE 'with_break' END AS state, "
    "r.position, true AS current, r.record, r.raw, "
    "CASE WHEN r.flags IS NULL THEN '[]' ELSE CAST(to_json(string_split(r.flags, ',')) AS VARCHAR) END AS flags "
    "FROM fault_row r JOIN placed p USING (key) WHERE p.action {which} ORDER BY p.break_id"
)
_MEMBER_COLUMNS = [
    "break_id", "side", "delivery_id", "record_number", "run_id", "state", "position", "current", "record", "raw", "flags",
]  # fmt: skip


_STATE_AGAIN = (
    "CASE WHEN excluded.state = 'with_break' OR reconciliation_member.state = 'superseded' THEN excluded.state "
    "ELSE reconciliation_member.state END"
)


def _write_members(duck: duckdb.DuckDBPyConnection, given: Inputs, *, touched: int) -> None:
    new = _MEMBERS.format(run=given.run.pk, which="= 'open'")
    copy_in(duck, new, sql.Identifier("reconciliation_member"), _MEMBER_COLUMNS)
    if not touched:
        return
    _staging("new_member", "reconciliation_member", _MEMBER_COLUMNS)
    again = _MEMBERS.format(run=given.run.pk, which="<> 'open'")
    copy_in(duck, again, sql.Identifier("new_member"), _MEMBER_COLUMNS)
    columns = ", ".join(_MEMBER_COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reconciliation_member m SET current = false, "
            f"state = CASE WHEN m.state = 'with_break' THEN {_fate('t.seen_state')} "
            "WHEN m.state = 'duplicate' THEN 'superseded' ELSE m.state END "
            "FROM touched t WHERE m.break_id = t.break_id AND m.current AND NOT EXISTS (SELECT 1 FROM new_member n WHERE "
            "n.break_id = m.break_id AND n.side = m.side AND n.delivery_id = m.delivery_id "
            "AND n.record_number = m.record_number)"
        )
        cursor.execute(
            f"INSERT INTO reconciliation_member ({columns}) SELECT {columns} FROM new_member "
            f"ON CONFLICT (break_id, side, delivery_id, record_number) DO UPDATE SET current = true, state = {_STATE_AGAIN} "
            f"WHERE NOT reconciliation_member.current OR reconciliation_member.state <> {_STATE_AGAIN}"  # else it is as it was
        )


def _fate(break_state: str) -> str:
    """SQL of what became of a row whose break another row takes over: what was decided stands, the rest is superseded."""
    decided = {state: fate for state, fate in FATE_BY_BREAK.items() if fate in ("stored", "rejected")}
    cases = " ".join(f"WHEN '{state.value}' THEN '{fate}'" for state, fate in decided.items())
    return f"CASE {break_state} {cases} ELSE 'superseded' END"


def _staging(name: str, like: str, columns: list[str]) -> None:
    """An empty temp table with some of a table's columns."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")
        cursor.execute(f"CREATE TEMP TABLE {name} AS SELECT {', '.join(columns)} FROM {like} WITH NO DATA")


_VALUES = "md5(coalesce({a}, chr(30)) || chr(31) || coalesce({b}, chr(30)))"
_DIFFERENCES = (
    "SELECT p.break_id, c.field, c.kind, c.value_a, c.value_b, c.raw_a, c.raw_b, "
    + _VALUES.format(a="c.value_a", b="c.value_b")
    + " AS values_hash, {run}, true AS current FROM cell c JOIN placed p USING (key) "
    "WHERE p.kind = 'differing' AND p.action {which} UNION ALL "
    f"SELECT p.break_id, '{Difference.ROW}', 'row', NULL, NULL, NULL, NULL, "
    + _VALUES.format(a="p.kind", b="NULL::VARCHAR")
    + ", {run}, true FROM placed p WHERE p.kind <> 'differing' AND p.action {which}"
)
_DIFFERENCE_COLUMNS = [
    "break_id", "field", "kind", "value_a", "value_b", "raw_a", "raw_b", "values_hash", "run_id", "current",
]  # fmt: skip


def _differences(given: Inputs, action: str) -> str:
    """The differences of the breaks of an action; those of a break in the order of the record, so that they are always read so."""
    names = ", ".join(literal(it.name) for it in given.shape.compared)
    found = _DIFFERENCES.format(run=given.run.pk, which=f"= '{action}'")
    return f"SELECT * FROM ({found}) ORDER BY break_id, list_position([{names}], field)"


def _write_differences(duck: duckdb.DuckDBPyConnection, given: Inputs, *, touched: int) -> None:
    new, changed = (_differences(given, which) for which in (OPEN, CHANGE))
    copy_in(duck, new, sql.Identifier("reconciliation_difference"), _DIFFERENCE_COLUMNS)
    if not touched:
        return
    _staging("new_difference", "reconciliation_difference", _DIFFERENCE_COLUMNS)
    copy_in(duck, changed, sql.Identifier("new_difference"), _DIFFERENCE_COLUMNS)
    columns = ", ".join(_DIFFERENCE_COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO reconciliation_difference ({columns}) SELECT {columns} FROM new_difference "
            "ON CONFLICT (break_id, field, values_hash) DO UPDATE SET current = true, kind = excluded.kind, "
            "raw_a = excluded.raw_a, raw_b = excluded.raw_b"
        )


def _write_refusals(duck: duckdb.DuckDBPyConnection, given: Inputs) -> None:
    copy_in(
        duck,
        f"SELECT p.break_id, {given.run.pk}, r.condition, left(r.sentence, 1000), '', true FROM refusal r "
        "JOIN placed p USING (key) WHERE p.action <> 'keep' ORDER BY p.break_id, r.condition",
        sql.Identifier("reconciliation_gaterefusal"),
        ["break_id", "run_id", "condition", "sentence", "detail", "current"],
    )


@dataclass(frozen=True)
class Ending:
    """What the range ends: breaks to close and why, rows that their match used, breaks kept as they are; ids."""

    because: dict[int, str]
    used: list[tuple[int, str, int, int]]
    repeated: list[int]
    kept: list[int]
    opened: int


def ending(duck: duckdb.DuckDBPyConnection) -> Ending:
    """What `close` needs of DuckDB, so that PostgreSQL can close while DuckDB does something else."""
    used = (
        "SELECT c.break_id, m.side, m.delivery, m.n FROM closing c JOIN open_member m USING (break_id) JOIN pair p "
        "ON p.key = m.key AND ((m.side = 'a' AND p.a_delivery = m.delivery AND p.a_n = m.n) "
        "OR (m.side = 'b' AND p.b_delivery = m.delivery AND p.b_n = m.n)) WHERE p.class = 'matched'"
    )
    repeated = (
        "SELECT DISTINCT c.break_id FROM closing c JOIN open_member m USING (break_id) WHERE m.kind = 'duplicate'"
    )
    return Ending(
        dict(duck.execute("SELECT break_id, because FROM closing ORDER BY break_id").fetchall()),
        duck.execute(used).fetchall(),
        _ids(duck, repeated),
        _ids(duck, "SELECT break_id FROM fault WHERE action = 'keep'"),
        duck.execute("SELECT count(*) FROM opening").fetchall()[0][0],
    )


def _ids(duck: duckdb.DuckDBPyConnection, query: str) -> list[int]:
    return [row[0] for row in duck.execute(query).fetchall()]


def close(ended: Ending, run: Run) -> None:
    """Close breaks, after `write` and in its transaction; Overtaken when a person was faster."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reconciliation_break b SET state = 'closed', closed_at = %s, closed_because = c.because, last_run_id = %s "
            "FROM (SELECT unnest(%s::bigint[]) AS id, unnest(%s::text[]) AS because) c WHERE b.id = c.id AND b.state = 'review'",
            [timezone.now(), run.pk, list(ended.because), list(ended.because.values())],
        )
        if cursor.rowcount != len(ended.because):
            raise Overtaken
    end_holds(list(ended.because), f"closed by run {run.pk}")
    _settle_rows(ended)
    seal_breaks([*ended.because, *ended.kept])
    analyze(ended.opened, "reconciliation_break", "reconciliation_member", "reconciliation_difference")


def _settle_rows(ended: Ending) -> None:
    """Rows of closed breaks are superseded; those that the match used are stored."""
    with connection.cursor() as cursor:
        if ended.repeated:
            cursor.execute(
                "UPDATE reconciliation_member SET state = 'superseded' WHERE break_id = ANY(%s) AND state = 'duplicate'",
                [ended.repeated],
            )
        if ended.used:
            cursor.execute(
                "UPDATE reconciliation_member m SET state = 'stored' FROM (SELECT unnest(%s::bigint[]) AS break_id, "
                "unnest(%s::text[]) AS side, unnest(%s::bigint[]) AS delivery_id, unnest(%s::bigint[]) AS n) u "
                "WHERE m.break_id = u.break_id AND m.side = u.side AND m.delivery_id = u.delivery_id AND m.record_number = u.n",
                [list(column) for column in zip(*ended.used, strict=True)],
            )
