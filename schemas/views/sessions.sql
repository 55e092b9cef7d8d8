-- doc = """
-- Sessions: what one principal did from one address with one program without a pause of more than 30 minutes. One row per
-- session, with the columns of its first request. Watches and other long requests count from receipt to end. An open
-- stream whose end is not in the input does not keep a session open. Requests without a user (401) belong to none. The
-- address is client_ip; the user agent is what the client claims. Filter by actor_kind for people: machines have sessions,
-- too."""
-- [[column]]
-- name = "idle_ms"
-- type = "float64"
-- doc = "Pause before the session: milliseconds since the same principal, address and program were last active; NULL for their first session in the input."
-- [[column]]
-- name = "session_number"
-- type = "int64"
-- doc = "Place of the session among those of the same principal, address and program, from 1."
-- [[column]]
-- name = "session_started_at"
-- type = "timestamp"
-- doc = "When the first request was received."
-- [[column]]
-- name = "session_ended_at"
-- type = "timestamp"
-- doc = "When the last request ended."
-- [[column]]
-- name = "session_requests"
-- type = "int64"
-- doc = "Requests of the session."
-- [[column]]
-- name = "session_writes"
-- type = "int64"
-- doc = "Successful requests of it to create, update, patch or delete something, dry runs left out."
-- [[column]]
-- name = "session_refusals"
-- type = "int64"
-- doc = "Requests of it that were answered with 401 or 403."
SELECT
    numbered.*,
    min(request_received_timestamp) OVER of_session AS session_started_at,
    max(stage_timestamp) OVER of_session AS session_ended_at,
    count(*) OVER of_session AS session_requests,
    count(CASE
        WHEN verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND response_code BETWEEN 200 AND 299
            AND resource IS NOT NULL AND (dry_run LIKE '%All%') IS NOT TRUE THEN 1
    END) OVER of_session AS session_writes,
    count(CASE WHEN response_code IN (401, 403) THEN 1 END) OVER of_session AS session_refusals
FROM (
    SELECT
        spaced.*,
        count(CASE WHEN idle_ms IS NULL OR idle_ms > 1800000 THEN 1 END) OVER (
            PARTITION BY cluster, principal, client_ip, user_agent
            ORDER BY request_received_timestamp, stage_timestamp, audit_id, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS session_number
    FROM (
        SELECT
            requests.*,
            CAST(
                CAST(request_received_timestamp AS BIGINT) - CAST(max(stage_timestamp) OVER (
                    PARTITION BY cluster, principal, client_ip, user_agent
                    ORDER BY request_received_timestamp, stage_timestamp, audit_id, source_file, source_offset
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ) AS BIGINT) AS DOUBLE
            ) / 1000 AS idle_ms
        FROM requests
        WHERE principal IS NOT NULL AND request_received_timestamp IS NOT NULL
    ) AS spaced
) AS numbered
QUALIFY row_number() OVER (
    PARTITION BY cluster, principal, client_ip, user_agent, session_number
    ORDER BY request_received_timestamp, stage_timestamp, audit_id, source_file, source_offset
) = 1
WINDOW of_session AS (PARTITION BY cluster, principal, client_ip, user_agent, session_number)
