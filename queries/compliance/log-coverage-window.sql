-- title = "Window of the log"
-- question = "Is the audit trail continuous over the period?"
-- description = """
-- One row per stream of the log (cluster and log_stream): its first and last event, events per
-- hour, the hours between them without a single event, and the longest pause. A stream with empty
-- hours is low, any other info."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1", "PCI-DSS 10.5.1", "SOC 2 CC7.2", "NIST AU-12", "ISO 27001 A.8.15", "HIPAA 164.312(b)", "CIS 3.2.1"]
-- attack = ["T1562.008"]
-- false_positives = "Clusters that are switched off at night."
-- limits = "Audit events carry no id of their apiserver: where several write into one stream, one of them can be silent unseen. Hours before the first and after the last event are not judged: compare first_event and last_event with the period that you report on."
-- message = "[{cluster}|the cluster][ {log_stream}]: {events} events from {first_event} to {last_event}, {empty_hours} empty hours, longest pause {longest_pause_seconds} s"
-- columns.key = ["cluster", "log_stream"]
-- columns.detail = ["first_event", "last_event", "empty_hours", "longest_pause_seconds", "events_per_hour"]
-- triage = ["log-gaps", "log-heartbeat-gaps", "log-retention"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- stage = "any"
WITH spaced AS (
    SELECT
        cluster,
        log_stream,
        stage_timestamp,
        CAST(CAST(stage_timestamp AS BIGINT) - CAST(lag(stage_timestamp) OVER (PARTITION BY cluster, log_stream ORDER BY stage_timestamp) AS BIGINT) AS DOUBLE) / 1000000 AS pause
    FROM events
    WHERE stage_timestamp IS NOT NULL
),
counted AS (
    SELECT
        cluster,
        log_stream,
        min(stage_timestamp) AS first_event,
        max(stage_timestamp) AS last_event,
        count(*) AS events,
        count(DISTINCT CAST(stage_timestamp AS BIGINT) / 3600000000) AS hours_with_events,
        CAST(floor(CAST(CAST(max(stage_timestamp) AS BIGINT) AS DOUBLE) / 3600000000) - floor(CAST(CAST(min(stage_timestamp) AS BIGINT) AS DOUBLE) / 3600000000) AS BIGINT) + 1 AS hours,
        max(pause) AS longest_pause
    FROM spaced
    GROUP BY cluster, log_stream
)
SELECT
    CASE WHEN hours > hours_with_events THEN 'low' ELSE 'info' END AS severity,
    cluster,
    log_stream,
    first_event,
    last_event,
    round(CAST(CAST(last_event AS BIGINT) - CAST(first_event AS BIGINT) AS DOUBLE) / 3600000000, 2) AS hours_covered,
    events,
    round(events / CAST(hours AS DOUBLE), 1) AS events_per_hour,
    hours - hours_with_events AS empty_hours,
    round(longest_pause, 3) AS longest_pause_seconds
FROM counted
ORDER BY cluster, log_stream
