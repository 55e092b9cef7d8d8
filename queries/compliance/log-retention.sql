-- title = "Days of log at hand"
-- question = "How far back does the log at hand go, and which days are missing?"
-- description = """
-- One row per stream: of the last days before its end (or before as_of), how many have events, and
-- how far back the oldest goes. covers is true if the log reaches back the whole time and every day
-- has events; else the row is low."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.5.1", "NIST AU-11", "ISO 27001 A.8.15", "HIPAA 164.316(b)(2)", "SOC 2 CC7.2", "CIS 1.2.17"]
-- attack = []
-- false_positives = "A cluster younger than the period."
-- limits = "This is what was given to auditql, not what lies in cold storage. Days are in UTC."
-- message = "[{cluster}|the cluster][ {log_stream}]: {days_present} of {days_wanted} days, back to {oldest_event}"
-- columns.key = ["cluster", "log_stream"]
-- columns.detail = ["covers", "oldest_event", "newest_event", "days_present", "days_missing"]
-- triage = ["log-coverage-window", "log-gaps"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- stage = "any"
-- [parameters.days]
-- type = "integer"
-- default = 90
-- doc = "Days that must be at hand: 90 and 365 for PCI DSS, 2190 for HIPAA's documentation."
-- [parameters.as_of]
-- type = "timestamp"
-- doc = "Count back from this time, not from the last event."
WITH reaching AS (
    SELECT
        cluster,
        log_stream,
        stage_timestamp,
        coalesce($as_of, max(stage_timestamp) OVER (PARTITION BY cluster, log_stream)) AS until_time
    FROM events
    WHERE stage_timestamp IS NOT NULL
),
counted AS (
    SELECT
        cluster,
        log_stream,
        min(stage_timestamp) AS oldest_event,
        max(stage_timestamp) AS newest_event,
        count(*) AS events,
        count(DISTINCT CASE
            WHEN CAST(date_trunc('day', until_time) AS BIGINT) - CAST(date_trunc('day', stage_timestamp) AS BIGINT) < $days*86400000000
                THEN date_trunc('day', stage_timestamp)
        END) AS days_present
    FROM reaching
    WHERE stage_timestamp <= until_time
    GROUP BY cluster, log_stream
)
SELECT
    CASE WHEN days_present >= $days THEN 'info' ELSE 'low' END AS severity,
    cluster,
    log_stream,
    days_present >= $days AS covers,
    oldest_event,
    newest_event,
    $days AS days_wanted,
    days_present,
    $days - days_present AS days_missing,
    events
FROM counted
ORDER BY cluster, log_stream
