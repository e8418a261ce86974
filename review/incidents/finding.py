"""Finding incidents when a run has ended: its new breaks are counted by signature, in SQL, and held against the runs before."""

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from ingestion import custody
from ingestion.shape import Shape
from reconciliation.models import Run
from reconciliation.waiting import WAITING
from review.incidents.standing import WHOLE, settle_incidents
from review.incidents.surges import ANY, LEAST, RUNS, Counted, Signature, Surge, surging
from review.models import Incident, IncidentScan, SignatureCount
from review.models.incident import SIGNATURE

SEGMENT_LENGTH = 200
LOOKS_BACK = "1 day"  # how far an ended run that nobody scanned is looked for

# Each new break that waits for a person, once, by the difference that its reason is of.
_ROWS = """
CREATE TEMP TABLE incident_row ON COMMIT DROP AS
SELECT DISTINCT ON (b.id) b.id AS break_id, d.field, coalesce(a.reason_id, '') AS reason,
    CASE WHEN d.kind <> 'value' OR d.value_a IS NULL OR d.value_b IS NULL THEN ''
        WHEN d.field = ANY(%(numbers)s) THEN
            CASE WHEN d.value_b::numeric = d.value_a::numeric THEN '0' ELSE
                CASE WHEN d.value_b::numeric > d.value_a::numeric THEN '+' ELSE '-' END
                || floor(log(abs(d.value_b::numeric - d.value_a::numeric)))::int END
        WHEN d.field = ANY(%(dates)s) THEN
            CASE WHEN abs(d.value_b::date - d.value_a::date) > 31 THEN 'far'
                ELSE to_char(d.value_b::date - d.value_a::date, 'FMSG999') || 'd' END
        ELSE '' END AS gap,
    left(coalesce((SELECT m.record ->> %(segment)s FROM reconciliation_member m WHERE m.break_id = b.id AND m.current
        ORDER BY m.side, m.position LIMIT 1), ''), %(length)s) AS segment
FROM reconciliation_break b
JOIN reconciliation_difference d ON d.break_id = b.id AND d.current AND d.run_id = %(run)s
LEFT JOIN attribution_attribution a ON a.difference_id = d.id AND a.current
WHERE b.last_run_id = %(run)s AND b.state = 'review' AND b.band <> %(waiting)s
ORDER BY b.id, a.reason_id IS DISTINCT FROM 'UNKNOWN', a.confidence, d.id
"""
_COUNTS = """
INSERT INTO review_signaturecount (scan_id, field, reason, gap, segment, breaks)
SELECT %(scan)s, field, reason, CASE WHEN grouping(gap) = 1 THEN %(any)s ELSE gap END,
    CASE WHEN grouping(segment) = 1 THEN %(any)s ELSE segment END, count(*)
FROM incident_row
GROUP BY GROUPING SETS ((field, reason), (field, reason, gap), (field, reason, segment), (field, reason, gap, segment))
"""
_HISTORY = """
SELECT n.field, n.reason, n.gap, n.segment, n.breaks, coalesce(sum(o.breaks), 0)
FROM review_signaturecount n
LEFT JOIN review_signaturecount o ON o.scan_id = ANY(%(earlier)s)
    AND (o.field, o.reason, o.gap, o.segment) = (n.field, n.reason, n.gap, n.segment)
WHERE n.scan_id = %(scan)s AND n.breaks >= %(least)s
GROUP BY n.id ORDER BY n.id
"""
_JOIN = """
INSERT INTO review_incidentbreak (incident_id, break_id)
SELECT %(incident)s, r.break_id FROM incident_row r
WHERE r.field = %(field)s AND r.reason = %(reason)s AND %(gap)s IN (%(any)s, r.gap) AND %(segment)s IN (%(any)s, r.segment)
    AND NOT EXISTS (SELECT FROM review_incidentbreak i WHERE i.incident_id = %(incident)s AND i.break_id = r.break_id)
    AND r.break_id NOT IN (SELECT break_id FROM incident_taken)
RETURNING break_id
"""


def find_incidents(run: Run) -> list[Incident]:
    """Count the breaks of an ended run by signature, let open incidents take up theirs, and open those that surge. Once a run;
    a second time does nothing. Gives the incidents that began."""
    try:
        with transaction.atomic():
            scan = IncidentScan.objects.create(run=run, records=_records(run), at=timezone.now())
            return _scan(scan)
    except IntegrityError as error:
        if "review_incidentscan_run_id" in str(error):
            return []  # somebody else scans it, or has
        raise


def unscanned() -> list[Run]:
    """Runs that ended lately and whose breaks nobody counted, the earliest first."""
    ended = Run.objects.filter(state=Run.State.DONE, incident_scan=None)
    recent = ended.extra(where=[f"finished_at > now() - interval '{LOOKS_BACK}'"])
    return list(recent.select_related("reconciliation__a__record_type").order_by("pk"))


def _records(run: Run) -> int:
    records = (run.report or {}).get("records") or {}
    return sum(int(keys) for keys in records.values())


def _scan(scan: IncidentScan) -> list[Incident]:
    run = scan.run
    shape = run.reconciliation.record_type.shape()
    segment_of = _segment(shape)
    _load(run, shape, segment_of)
    earlier = list(
        IncidentScan.objects.filter(run__reconciliation=run.reconciliation_id, pk__lt=scan.pk).order_by("-pk")[
            : RUNS + 1
        ]
    )
    _count(scan)
    joined = _let_join(run)
    surges = _surges(scan, earlier[:RUNS])
    open_ = set(
        Incident.objects.filter(state=Incident.State.OPEN, reconciliation=run.reconciliation_id).values_list(*SIGNATURE)
    )
    new = [it for it in surges if astuple(it.signature) not in open_]
    begun = [it for it in (_begin(run, surge, segment_of, len(earlier[:RUNS])) for surge in new) if it is not None]
    for it in [*joined, *begun]:
        custody.seal_ids(WHOLE, [it.pk])
    SignatureCount.objects.filter(scan__in=earlier[RUNS:]).delete()
    settle_incidents(run.reconciliation_id)
    return begun


def _segment(shape: Shape) -> str:
    """The field that people think of a break's habit by: the key of the first reference, such as the counterparty; else the
    first text that is no key."""
    references = [leaf.name for leaf in shape.leaves if leaf.reference_key]
    texts = [leaf.name for leaf in shape.leaves if leaf.kind == "text" and not leaf.key and leaf.reference is None]
    return next(iter([*references, *texts]), "")


def _load(run: Run, shape: Shape, segment_of: str) -> None:
    kinds = {leaf.name: leaf.kind for leaf in shape.leaves}
    given: dict[str, Any] = {
        "numbers": [name for name, kind in kinds.items() if kind in ("decimal", "integer")],
        "dates": [name for name, kind in kinds.items() if kind == "date"],
        "segment": segment_of, "length": SEGMENT_LENGTH, "run": run.pk, "waiting": WAITING,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS incident_row, incident_taken")
        cursor.execute(_ROWS, given)
        cursor.execute("CREATE TEMP TABLE incident_taken (break_id bigint) ON COMMIT DROP")


def _count(scan: IncidentScan) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"scan": scan.pk, "any": ANY})


def _surges(scan: IncidentScan, earlier: Sequence[IncidentScan]) -> list[Surge]:
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY, {"scan": scan.pk, "earlier": [it.pk for it in earlier], "least": LEAST})
        counted = [Counted(Signature(*row[:4]), row[4], int(row[5])) for row in cursor.fetchall()]
    before = sum(it.records for it in earlier)
    return surging(counted, runs=len(earlier), records=scan.records, records_before=before)


def _let_join(run: Run) -> list[Incident]:
    """The open incidents that took up breaks of the run."""
    joined = []
    for incident in Incident.objects.filter(reconciliation=run.reconciliation_id, state=Incident.State.OPEN).order_by(
        "pk"
    ):
        if _take(incident):
            incident.last_run = run
            incident.save(update_fields=["last_run"])
            joined.append(incident)
    return joined


def _take(incident: Incident) -> int:
    """Let an incident take up the breaks of its signature that no other one took. How many."""
    given = {name: getattr(incident, name) for name in SIGNATURE} | {"incident": incident.pk, "any": ANY}
    with connection.cursor() as cursor:
        cursor.execute(f"WITH taken AS ({_JOIN}) INSERT INTO incident_taken SELECT break_id FROM taken", given)
        return int(cursor.rowcount)


def _begin(run: Run, surge: Surge, segment_of: str, runs: int) -> Incident | None:
    """Open an incident; None where too few breaks are left that no other one has."""
    with transaction.atomic():
        incident = Incident.objects.create(
            reconciliation=run.reconciliation, run=run, last_run=run, field=surge.signature.field,
            reason=surge.signature.reason, gap=surge.signature.gap, segment=surge.signature.segment,
            segment_of=segment_of, breaks=surge.count, usual=surge.usual, runs=runs, found_at=timezone.now(),
        )  # fmt: skip
        if _take(incident) >= LEAST:
            return incident
        transaction.set_rollback(True)
    return None
