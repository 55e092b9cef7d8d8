-- title = "Incomplete records"
-- question = "Which records are cut, broken or unreadable, and how many?"
-- description = """
-- Kinds of incomplete records with their number and first example: truncated (the apiserver dropped
-- the bodies because the event was too long), user agent (cut at 1024 bytes), or unreadable
-- (records of the input that are no event: why says the reason)."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.2", "PCI-DSS 10.3.2", "NIST AU-4", "NIST AU-5", "ISO 27001 A.8.15", "SOC 2 CC7.2"]
-- attack = ["T1562.008"]
-- false_positives = "ConfigMaps near 1 MiB, whose bodies no event can hold."
-- limits = "Delivery limits cut silently where the record still is valid JSON: CloudWatch at 256 KB, AKS at 16 KiB. Events that never arrived leave nothing here: see log-gaps."
-- message = "{records} records: {kind}[, {why}]"
-- columns.key = ["kind", "why"]
-- columns.detail = ["records", "first_file", "first_line", "last_seen"]
-- triage = ["log-gaps", "log-required-fields"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- stage = "any"
WITH cut AS (
    SELECT 'truncated' AS kind, CAST(NULL AS VARCHAR) AS why, stage_timestamp, source_file, source_line
    FROM events
    WHERE truncated
    UNION ALL
    SELECT 'user agent' AS kind, NULL AS why, stage_timestamp, source_file, source_line
    FROM events
    WHERE user_agent LIKE '%...TRUNCATED'
    UNION ALL
    SELECT 'unreadable' AS kind, reason AS why, NULL AS stage_timestamp, source_file, source_line
    FROM rejects
)
SELECT
    kind,
    why,
    count(*) AS records,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    min(source_file) AS first_file,
    min(source_line) AS first_line
FROM cut
GROUP BY kind, why
ORDER BY records DESC, kind, why
