-- title = "Stages in the audit log"
-- question = "How much of the audit log is stages that say little?"
-- description = """
-- Events and bytes by stage and level with their share. advice says what would be saved, if
-- anything: RequestReceived repeats what the final stage has (omitStages), and is needed only to
-- find requests that never ended."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["NIST AU-4"]
-- attack = []
-- false_positives = "None: this is an inventory."
-- limits = "event_bytes is the size of the event as it was read, with the envelope of its delivery. What it costs depends on where it is stored."
-- message = "stage {stage} at level {level}: {events} events ({share_percent}%), {bytes_percent}% of the bytes[: {advice}]"
-- columns.key = ["stage", "level"]
-- columns.detail = ["events", "share_percent", "bytes", "bytes_percent", "advice"]
-- triage = ["audit-log-volume", "log-level-coverage", "log-gaps"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- stage = "any"
WITH counted AS (
    SELECT stage, level, count(*) AS events, sum(event_bytes) AS bytes
    FROM events
    GROUP BY stage, level
)
SELECT
    stage,
    level,
    events,
    round(100.0*events / sum(events) OVER (), 2) AS share_percent,
    bytes,
    round(100.0*bytes / nullif(sum(bytes) OVER (), 0), 2) AS bytes_percent,
    CASE stage
        WHEN 'RequestReceived' THEN 'omitStages: ["RequestReceived"] saves these, and hides requests that never end'
    END AS advice
FROM counted
ORDER BY events DESC, stage, level
