"""Which labels ask for a second opinion: those that call an error what the model would have let through.

Two such labels in a hundred that are wrong halve what a certificate covers, and nearly all of them lie here. Until
another person has answered, a label stands, but no model learns from it and no certificate counts it.
"""

from collections.abc import Sequence

from django.utils import timezone

from attribution.models import Correction, SecondOpinion
from ingestion import custody
from ingestion.prepared import kept_rows
from reconciliation.rules import DEFAULT_CONFIDENCE

_ASKED = (
    "INSERT INTO attribution_secondopinion (correction_id, said_by, asked_at, because, comment, answered_by) "
    "SELECT c.id, c.confirmed_by, %s, left(a.assigned_by || ' said ' || a.reason_id || ', ' || "
    "trim_scale(a.confidence * 100) || ' %%, functional ' || trim_scale(a.functional_share * 100) || ' %%', 200), '', '' "
    "FROM attribution_correction c JOIN attribution_reason r ON r.code = c.reason_id AND NOT r.functional "
    "JOIN LATERAL (SELECT * FROM attribution_attribution s WHERE s.difference_id = c.difference_id "
    "AND s.functional_share IS NOT NULL ORDER BY s.id DESC LIMIT 1) a ON a.functional "
    "JOIN reconciliation_run n ON n.id = a.run_id JOIN reconciliation_ruleset t ON t.id = n.rule_set_id "
    "LEFT JOIN attribution_certificate k ON k.id = n.certificate WHERE c.id = ANY(%s) AND c.active "
    "AND a.functional_share >= coalesce(k.threshold, (t.document #>> '{gate,confidence}')::numeric, %s) "
    "AND NOT EXISTS (SELECT 1 FROM attribution_auditreason e JOIN attribution_reason w ON w.code = e.reason_id AND NOT w.functional "
    "JOIN attribution_auditanswer s ON s.id = e.answer_id JOIN auth_user u ON u.id = s.answered_by_id "
    "WHERE e.difference_id = c.difference_id AND u.username <> c.confirmed_by) "
    "RETURNING id, correction_id"
)


def ask_for_second_opinions(corrections: Sequence[int]) -> int:
    """Let those of the new labels wait that contradict the model in its pass zone (its certificate's, else its gate's threshold),
    in the caller's transaction; not where another person named an error in a blind audit. Gives how many."""
    if not corrections:
        return 0
    now = timezone.now()
    asked = kept_rows(_ASKED, [now, list(corrections), DEFAULT_CONFIDENCE])
    if not asked:
        return 0
    waiting = [correction for _, correction in asked]
    Correction.objects.filter(pk__in=waiting).update(active=False, waiting_since=now)
    custody.seal_ids(Correction._meta.db_table, waiting)
    custody.seal_ids(SecondOpinion._meta.db_table, [pk for pk, _ in asked], first=True)
    return len(asked)
