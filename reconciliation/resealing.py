"""For migrations: rows under the seals of breaks get another column, and what a seal held before it holds after.

A seal is a hash of whole rows, so a new column breaks it. `remember` notes which seals fit, so that a row changed by hand stays
named; `renew` seals these anew. Both belong into the migration's one transaction, around the change.
"""

_PARTS = """
    SELECT b.id, hash_record_extended(b, 0) AS part, true AS is_whole FROM reconciliation_break b
    UNION ALL SELECT c.break_id, hash_record_extended(c, 0), false FROM reconciliation_member c
    UNION ALL SELECT c.break_id, hash_record_extended(c, 0), false FROM reconciliation_difference c
    UNION ALL SELECT c.break_id, hash_record_extended(c, 0), false FROM reconciliation_gaterefusal c
    UNION ALL SELECT d.break_id, hash_record_extended(a, 0), false
    FROM reconciliation_difference d JOIN attribution_attribution a ON a.difference_id = d.id
    UNION ALL SELECT d.break_id, hash_record_extended(c, 0), false
    FROM reconciliation_difference d JOIN attribution_attribution a ON a.difference_id = d.id
    JOIN attribution_candidate c ON c.attribution_id = a.id
"""
_DIGESTS = (
    "SELECT id, md5(concat_ws('|', count(*), sum(part)))::uuid AS digest "
    f"FROM ({_PARTS}) p GROUP BY id HAVING bool_or(is_whole)"
)

remember = (
    f"CREATE TEMP TABLE sound_break ON COMMIT DROP AS SELECT d.id FROM ({_DIGESTS}) d "
    "JOIN ingestion_seal s ON s.kind = 'reconciliation_break' AND s.row_id = d.id AND s.digest = d.digest"
)
renew = (
    f"UPDATE ingestion_seal s SET digest = d.digest FROM ({_DIGESTS}) d JOIN sound_break USING (id) "
    "WHERE s.kind = 'reconciliation_break' AND s.row_id = d.id"
)
