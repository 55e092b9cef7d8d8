-- doc = """
-- Where the log may be incomplete: silences that its own rhythm does not explain, and starts of the apiserver. Each row
-- has the columns of the first event after the gap. A silence counts if it lasts at least a minute, is more than three
-- times as long as the sixth longest of the same stream, and at least ten events were to be expected in it at the rate of
-- the rest of the stream; a stream with less than 100 events has none. A stream is what cluster and log_stream name:
-- events of several apiservers without a log_stream hide each other's gaps, and what the audit policy leaves out is never
-- missed. Events that were lost one by one are in unfinished_requests, if the policy records RequestReceived."""
-- [[column]]
-- name = "gap_started_at"
-- type = "timestamp"
-- doc = "Time of the last event before the gap; NULL if the stream begins with a start of the apiserver."
-- [[column]]
-- name = "gap_ms"
-- type = "float64"
-- doc = "Length of the gap in milliseconds, up to the stage_timestamp of the row."
-- [[column]]
-- name = "is_start"
-- type = "boolean"
-- doc = "Whether the apiserver started here: it reads the role cluster-admin when it does and never again, or marks requests as early (OpenShift). Starts within a minute are one."
-- [[column]]
-- name = "start_follows"
-- type = "boolean"
-- doc = "Whether the apiserver started here or within a minute after."
-- [[column]]
-- name = "usual_gap_ms"
-- type = "float64"
-- doc = "The sixth longest silence of the stream, in milliseconds."
-- [[column]]
-- name = "expected_events"
-- type = "float64"
-- doc = "Events to be expected in a gap of this length, by the rate of the rest of the stream."
-- [[column]]
-- name = "gap_kind"
-- type = "string"
-- doc = "silence; restart (a silence, after which the apiserver started); start (the apiserver started: the first sign of it, which can be some seconds after the silence)."
SELECT
    measured.*,
    CASE
        WHEN gap_ms >= 60000 AND gap_ms > 3 * usual_gap_ms AND expected_events >= 10
            THEN CASE WHEN start_follows THEN 'restart' ELSE 'silence' END
        ELSE 'start'
    END AS gap_kind
FROM (
    SELECT
        spaced.*,
        nth_value(gap_ms, 6) OVER (
            PARTITION BY cluster, log_stream
            ORDER BY gap_ms DESC NULLS LAST
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS usual_gap_ms,
        CASE
            WHEN count(*) OVER of_stream >= 100
                -- The sum is of whole microseconds, the same in whatever order.
                THEN gap_ms * count(*) OVER of_stream
                    / nullif(CAST(sum(CAST(round(gap_ms * 1000) AS BIGINT)) OVER of_stream AS DOUBLE) / 1000 - gap_ms, 0)
        END AS expected_events
    FROM (
        SELECT
            events.*,
            lag(stage_timestamp) OVER in_stream AS gap_started_at,
            CAST(
                CAST(stage_timestamp AS BIGINT) - CAST(lag(stage_timestamp) OVER in_stream AS BIGINT) AS DOUBLE
            ) / 1000 AS gap_ms,
            (
                verb = 'get' AND username = 'system:apiserver' AND resource = 'clusterroles' AND name = 'cluster-admin'
                OR annotations['apiserver.k8s.io/startup'] LIKE 'early=true%'
            ) IS TRUE
            AND (
                lag(CASE
                    WHEN verb = 'get' AND username = 'system:apiserver' AND resource = 'clusterroles' AND name = 'cluster-admin'
                        OR annotations['apiserver.k8s.io/startup'] LIKE 'early=true%'
                        THEN stage_timestamp
                END) IGNORE NULLS OVER in_stream > stage_timestamp - INTERVAL '1 minute'
            ) IS NOT TRUE AS is_start,
            (
                verb = 'get' AND username = 'system:apiserver' AND resource = 'clusterroles' AND name = 'cluster-admin'
                    OR annotations['apiserver.k8s.io/startup'] LIKE 'early=true%'
                -- The next one, as the least of those that follow: lead with IGNORE NULLS takes the square of the rows.
                OR min(CASE
                    WHEN verb = 'get' AND username = 'system:apiserver' AND resource = 'clusterroles' AND name = 'cluster-admin'
                        OR annotations['apiserver.k8s.io/startup'] LIKE 'early=true%'
                        THEN stage_timestamp
                END) OVER (
                    PARTITION BY cluster, log_stream
                    ORDER BY stage_timestamp, request_received_timestamp, audit_id, source_file, source_offset
                    ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
                ) <= stage_timestamp + INTERVAL '1 minute'
            ) IS TRUE AS start_follows
        FROM events
        WHERE stage_timestamp IS NOT NULL
        WINDOW in_stream AS (
            PARTITION BY cluster, log_stream
            ORDER BY stage_timestamp, request_received_timestamp, audit_id, source_file, source_offset
        )
    ) AS spaced
    WINDOW of_stream AS (PARTITION BY cluster, log_stream)
) AS measured
WHERE is_start
   OR gap_ms >= 60000 AND gap_ms > 3 * usual_gap_ms AND expected_events >= 10
