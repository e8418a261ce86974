"""The scope of breaks: which values of the scope field their rows have, so that a team that sees some values sees its breaks.

Values are taken from the rows that stand in a break now, of both sides. A break whose sides differ in the field is seen by the
teams of both; one that moves to other values is seen by the teams of these.
"""

from collections.abc import Mapping, Sequence

import duckdb
import numpy as np
from django.db import connection, transaction

from ingestion import custody
from ingestion.changes import Change, ChangeRefused, sign_versions, tell
from ingestion.sql_text import literal
from reconciliation.bulk import Column, columns
from reconciliation.custody import BREAK
from reconciliation.inputs import Inputs
from reconciliation.models import Reconciliation, Scope, ScopeValue, Team, TeamScope

LOCK = 0x7363  # the advisory lock's class
FAULT_SCOPE = "fault_scope"  # key, scope: of each faulty key of a range
Granted = Mapping[str, Sequence[str]]  # the values that a team sees, by its code


def plan_scopes(duck: duckdb.DuckDBPyConnection, given: Inputs) -> None:
    """Create `fault_scope` (key, scope) for the keys of `fault_row`; empty where the reconciliation has no scope field. Scopes that
    are new are made in a transaction of their own, so that no range waits for another one's end."""
    field = given.run.reconciliation.scope
    duck.execute(f"CREATE TEMP TABLE {FAULT_SCOPE} (key VARCHAR, scope BIGINT)")
    if not field:
        return
    value = f"coalesce(json_extract_string(record, {literal(_path(field))}), '')"
    held = f"list_sort(list_distinct(list({value})))"
    duck.execute(f"CREATE TEMP TABLE key_scope AS SELECT key, {held} AS held FROM fault_row GROUP BY key")
    found = duck.execute(f"SELECT DISTINCT {_DIGEST} AS digest, held FROM key_scope ORDER BY digest").fetchall()
    ids = make_scopes(given.run.reconciliation, dict(found))
    made: dict[str, Column] = {"digest": list(ids), "scope": np.array(list(ids.values()), np.int64)}
    with columns(duck, "made_scope", made):
        duck.execute(
            f"INSERT INTO {FAULT_SCOPE} SELECT k.key, m.scope FROM key_scope k "
            f"JOIN made_scope m ON CAST(m.digest AS VARCHAR) = {_DIGEST}"
        )


_DIGEST = "md5(array_to_string(held, chr(31)))"


def _path(field: str) -> str:
    return f'$."{field}"'


@transaction.atomic
def make_scopes(reconciliation: Reconciliation, wanted: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The ids of scopes by digest, of digests with their values in order; those that are new are made."""
    held = Scope.objects.filter(reconciliation=reconciliation)
    known = dict(held.filter(digest__in=wanted).values_list("digest", "pk"))
    new = [Scope(reconciliation=reconciliation, digest=digest) for digest in sorted(set(wanted) - set(known))]
    if not new:
        return known
    Scope.objects.bulk_create(new, ignore_conflicts=True)  # another range may make the same one
    known = dict(held.filter(digest__in=wanted).values_list("digest", "pk"))
    values = [ScopeValue(scope_id=known[it.digest], value=value) for it in new for value in wanted[it.digest]]
    ScopeValue.objects.bulk_create(values, ignore_conflicts=True)
    ids = [known[it.digest] for it in new]
    custody.seal_ids(Scope._meta.db_table, ids)
    custody.seal(list(ScopeValue.objects.filter(scope__in=ids)))
    return known


def is_as_planned(given: Inputs) -> bool:
    """Whether the scope field is the one that the range was planned with. It stays so until the transaction ends."""
    of = given.run.reconciliation
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [LOCK, of.pk])
    return Reconciliation.objects.values_list("scope", flat=True).get(pk=of.pk) == of.scope


@transaction.atomic
def put_scope(*, reconciliation: Reconciliation, field: str, granted: Granted) -> list[Change]:
    """Name a reconciliation's scope field, and the values that each team sees. Breaks that are there get the scope that their rows
    have. ChangeRefused for a team that there is not."""
    row = Reconciliation.objects.select_for_update().get(pk=reconciliation.pk)
    before = scope_document(row)
    if row.scope != field:
        _wait_for_ranges(row)
        sign_versions()
        row.scope = field
        row.save(update_fields=["scope"])
        custody.seal([row])
        _rescope(row)
    _grant(row, granted)
    if (after := scope_document(row)) == before:
        return []
    said = f"reconciliation {row.code}: scope {f'by {field}' if field else 'removed'}"
    return tell([Change(Reconciliation, "change", said)], of=row, before=before or None, after=after or None)


def _wait_for_ranges(reconciliation: Reconciliation) -> None:
    """Until this transaction ends no range of a run writes breaks under the former field."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, reconciliation.pk])


def scope_document(reconciliation: Reconciliation) -> dict[str, object]:
    """The key `scope` of a definition; empty where there is none."""
    if not reconciliation.scope:
        return {}
    teams: dict[str, list[str]] = {}
    for code, value in reconciliation.team_scopes.order_by("team__code", "value").values_list("team__code", "value"):
        teams.setdefault(code, []).append(value)
    return {"field": reconciliation.scope, **({"teams": teams} if teams else {})}


def _grant(reconciliation: Reconciliation, granted: Granted) -> None:
    teams = {it.code: it for it in Team.objects.filter(code__in=granted)}
    if missing := sorted(set(granted) - set(teams)):
        raise ChangeRefused(f"There is no team {missing[0]!r}.")
    wanted = {(teams[code].pk, value) for code, values in granted.items() for value in values}
    held = {(it.team_id, it.value): it for it in reconciliation.team_scopes.all()}
    sign_versions()
    gone = [it.pk for key, it in held.items() if key not in wanted]
    custody.forget(TeamScope, gone)
    TeamScope.objects.filter(pk__in=gone).delete()
    new = [
        TeamScope(reconciliation=reconciliation, team_id=team, value=value)
        for team, value in sorted(wanted - set(held))
    ]
    custody.seal(TeamScope.objects.bulk_create(new))


_HELD = """
CREATE TEMP TABLE break_scope ON COMMIT DROP AS
SELECT break_id, md5(string_agg(value, chr(31) ORDER BY value)) AS digest, array_agg(value ORDER BY value) AS held FROM (
    SELECT DISTINCT b.id AS break_id, coalesce(m.record ->> %(field)s, '') COLLATE "C" AS value
    FROM reconciliation_break b JOIN reconciliation_member m ON m.break_id = b.id AND m.current
    WHERE b.reconciliation_id = %(of)s AND %(field)s <> ''
) v GROUP BY break_id
"""
_MOVE = """
UPDATE reconciliation_break b SET scope_id = s.id
FROM reconciliation_break o LEFT JOIN break_scope h ON h.break_id = o.id
LEFT JOIN reconciliation_scope s ON s.digest = h.digest AND s.reconciliation_id = o.reconciliation_id
WHERE b.id = o.id AND o.reconciliation_id = %s AND b.scope_id IS DISTINCT FROM s.id
"""


def _rescope(reconciliation: Reconciliation) -> None:
    """Give the breaks that are there the scope of their rows. Seals that fitted fit again; a row changed by hand stays named."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS break_scope")
        cursor.execute(_HELD, {"of": reconciliation.pk, "field": reconciliation.scope})
        cursor.execute("SELECT DISTINCT digest, held FROM break_scope")
        make_scopes(reconciliation, dict(cursor.fetchall()))
        sound = custody.sound_ids(
            BREAK, f"SELECT id FROM reconciliation_break WHERE reconciliation_id = {reconciliation.pk:d}"
        )
        cursor.execute(_MOVE, [reconciliation.pk])
        cursor.execute("DROP TABLE break_scope")
    custody.seal_ids(BREAK, sound)
