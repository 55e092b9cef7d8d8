-- title = "Missing heartbeats"
-- question = "Was logging ever stopped or paused, judging by what writes every few seconds?"
-- description = """
-- The scheduler, the controller manager, every node and every apiserver renew a lease every 2 to 10
-- seconds, day and night. A row is a time longer than max_gap without any of these in the log.
-- other_events counts what else the log has in it: with none, either logging or the apiserver stood
-- still; with some, the audit policy or the control plane changed."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.6", "PCI-DSS 10.7.2", "SOC 2 CC7.2", "NIST AU-5", "ISO 27001 A.8.15", "HIPAA 164.312(b)"]
-- attack = ["T1562.008"]
-- false_positives = "Upgrades of a control plane with one apiserver."
-- limits = "Only if the audit policy records leases; many leave them out, and then this is not evaluable: see log-gaps. With several apiservers in one stream, the others hide the silence of one."
-- message = "no heartbeat for {gap_seconds} s from {gap_started_at} on ({other_events} other events)"
-- columns.key = ["cluster", "log_stream", "gap_started_at"]
-- columns.detail = ["gap_ended_at", "gap_seconds", "other_events"]
-- triage = ["log-gaps", "log-start-stop-events", "log-pipeline-changes"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = ["leases.coordination.k8s.io"]
-- [parameters.max_gap]
-- type = "duration"
-- default = "1m"
-- doc = "Only gaps longer than this."
WITH beats AS (
    SELECT
        cluster,
        log_stream,
        stage_timestamp,
        (
            api_group = 'coordination.k8s.io' AND resource = 'leases' AND verb IN ('update', 'patch')
            AND (namespace = 'kube-node-lease' OR namespace = 'kube-system' AND (name IN ('kube-scheduler', 'kube-controller-manager') OR name LIKE 'apiserver-%'))
        ) IS TRUE AS beat
    FROM events
    WHERE stage_timestamp IS NOT NULL
),
numbered AS (
    SELECT
        beats.*,
        count(CASE WHEN beat THEN 1 END) OVER (PARTITION BY cluster, log_stream ORDER BY stage_timestamp ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS beat_number,
        count(CASE WHEN beat THEN 1 END) OVER (PARTITION BY cluster, log_stream) AS all_beats
    FROM beats
),
spans AS (
    -- From one heartbeat to just before the next.
    SELECT
        cluster,
        log_stream,
        beat_number,
        min(stage_timestamp) AS started_at,
        count(*) - 1 AS other_events
    FROM numbered
    WHERE beat_number > 0
    GROUP BY cluster, log_stream, beat_number
),
gaps AS (
    SELECT
        spans.*,
        lead(started_at) OVER (PARTITION BY cluster, log_stream ORDER BY beat_number) AS ended_at
    FROM spans
)
SELECT
    cluster,
    log_stream,
    started_at AS gap_started_at,
    ended_at AS gap_ended_at,
    round(CAST(CAST(ended_at AS BIGINT) - CAST(started_at AS BIGINT) AS DOUBLE) / 1000000, 1) AS gap_seconds,
    other_events
FROM gaps
WHERE CAST(CAST(ended_at AS BIGINT) - CAST(started_at AS BIGINT) AS DOUBLE) / 1000 > $max_gap
ORDER BY gap_started_at, cluster, log_stream
