-- title = "Silent audit log"
-- question = "When did the audit log fall silent without an explanation?"
-- description = """
-- Silences that the log's own rhythm does not explain: at least `min_gap` long, more than three times as
-- long as any usual pause, and at a time for which many events were to be expected. medium for a silence;
-- low if the apiserver started after it (restart)."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1562.008"]
-- controls = ["PCI-DSS 10.7.2", "NIST AU-5", "ISO 27001 A.8.15", "SOC 2 CC7.2"]
-- false_positives = "Upgrades of the control plane, rotated files that are missing from the input, and a log shipper that stood still."
-- tuning = "Raise min_gap where the delivery is known to pause."
-- limits = "The log cannot say why it is silent. Events of several apiservers without a log stream hide each other's gaps; give the logs of each with --cluster. What the audit policy leaves out is never missed, and a log of less than 100 events has no rhythm. Single lost events are in unfinished_requests."
-- message = "the audit log[ {log_stream}] has no events for {gap_seconds} s before {stage_timestamp} ({gap_kind})"
-- columns.key = ["cluster", "log_stream", "gap_started_at"]
-- columns.detail = ["gap_seconds", "expected_events", "next_actor", "source_file"]
-- triage = ["log-gaps", "sessions", "top-clients"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- stage = "any"
-- [parameters.min_gap]
-- type = "duration"
-- default = "5m"
-- doc = "Only silences of at least this length."
SELECT
    stage_timestamp,
    CASE gap_kind WHEN 'silence' THEN 'medium' ELSE 'low' END AS severity,
    gap_kind,
    cluster,
    log_stream,
    gap_started_at,
    CAST(round(gap_ms / 1000) AS BIGINT) AS gap_seconds,
    CAST(round(usual_gap_ms / 1000) AS BIGINT) AS usual_gap_seconds,
    CAST(round(expected_events) AS BIGINT) AS expected_events,
    actor AS next_actor,
    audit_id,
    source_file,
    source_line
FROM log_gaps
WHERE gap_kind IN ('silence', 'restart')
  AND gap_ms >= $min_gap
ORDER BY stage_timestamp, cluster, log_stream, source_file, source_offset
