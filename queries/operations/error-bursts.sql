-- title = "Bursts of server errors"
-- question = "When did the apiserver fail, for whom, and with what?"
-- description = """
-- Bursts of answers with 5xx: server errors that follow each other within gap, at least min_errors
-- of them. One row per burst, with codes, resources and clients. panics counts those in which the
-- apiserver panicked."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 A1.2", "SOC 2 CC7.2", "NIST SI-4"]
-- attack = ["T1499"]
-- false_positives = "Aggregated APIs whose backend is down (503), requests with a short ?timeout= (504), and webhooks that cannot be reached (500, see webhook-failures)."
-- limits = "A watch that fails after it began has code 200. While the apiserver is down it logs nothing: see log-start-stop-events."
-- message = "{errors} server errors in {seconds} s from {first_seen} on: {codes}, {targets}"
-- columns.key = ["first_seen"]
-- columns.detail = ["last_seen", "errors", "codes", "targets", "actors"]
-- triage = ["response-codes", "webhook-failures", "log-start-stop-events"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["response_code"]
-- [parameters.min_errors]
-- type = "integer"
-- default = 10
-- doc = "Only bursts of at least this many."
-- [parameters.gap]
-- type = "duration"
-- default = "1m"
-- doc = "A burst ends after this time without a server error."
WITH errors AS (
    SELECT
        stage_timestamp, response_code, stage, actor, cluster,
        coalesce(nullif(concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')), ''), split_part(request_uri, '?', 1)) AS target,
        audit_id, source_file, source_offset
    FROM requests
    WHERE response_code >= 500
),
spaced AS (
    SELECT
        errors.*,
        CASE
            WHEN CAST(CAST(stage_timestamp AS BIGINT) - CAST(lag(stage_timestamp) OVER in_time AS BIGINT) AS DOUBLE) / 1000 <= $gap THEN 0
            ELSE 1
        END AS begins
    FROM errors
    WINDOW in_time AS (PARTITION BY cluster ORDER BY stage_timestamp, audit_id, source_file, source_offset)
),
numbered AS (
    SELECT
        spaced.*,
        sum(begins) OVER (
            PARTITION BY cluster ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS burst
    FROM spaced
)
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    cluster,
    count(*) AS errors,
    round(CAST(CAST(max(stage_timestamp) AS BIGINT) - CAST(min(stage_timestamp) AS BIGINT) AS DOUBLE) / 1000000, 1) AS seconds,
    array_agg(DISTINCT response_code ORDER BY response_code) AS codes,
    array_agg(DISTINCT target ORDER BY target) AS targets,
    count(*) FILTER (WHERE stage = 'Panic') AS panics,
    count(DISTINCT actor) AS actors
FROM numbered
GROUP BY cluster, burst
HAVING count(*) >= $min_errors
ORDER BY first_seen, cluster
