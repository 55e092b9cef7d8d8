-- title = "Response codes over time"
-- question = "How did the apiserver answer over time: how many of each code?"
-- description = """
-- Requests by time (in steps of bucket) and response code, with the share of all requests in that
-- step. outcome groups the codes: succeeded, refused (401, 403), throttled (429), client error
-- (other 4xx), server error (5xx) or unknown (the log has no code). Set by_outcome to true for one
-- row a step and outcome."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.2", "NIST SI-4"]
-- attack = []
-- false_positives = "None: this is an inventory."
-- limits = "A watch that fails after it began has code 200. Requests that the audit policy does not log are not counted."
-- message = "{bucket_started_at}: [{response_code}|{outcome}], {requests} requests ({share_percent}%)"
-- columns.key = ["bucket_started_at", "outcome", "response_code"]
-- columns.detail = ["requests", "share_percent", "actors", "resources"]
-- triage = ["error-bursts", "throttled-requests", "denied-requests"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["response_code"]
-- [parameters.bucket]
-- type = "duration"
-- default = "5m"
-- doc = "Length of a step."
-- [parameters.by_outcome]
-- type = "boolean"
-- default = false
-- doc = "Group codes by outcome."
-- [parameters.min_code]
-- type = "integer"
-- doc = "Only codes from this one on, such as 400 or 500; shares are still of all requests."
WITH placed AS (
    SELECT
        arrow_cast(
            CAST(floor(CAST(CAST(stage_timestamp AS BIGINT) AS DOUBLE) / (1000*$bucket)) AS BIGINT)*CAST(1000*$bucket AS BIGINT),
            'Timestamp(Microsecond, Some("UTC"))'
        ) AS bucket_started_at,
        CASE WHEN NOT $by_outcome THEN response_code END AS response_code,
        CASE
            WHEN response_code IS NULL THEN 'unknown'
            WHEN response_code >= 500 THEN 'server error'
            WHEN response_code = 429 THEN 'throttled'
            WHEN response_code IN (401, 403) THEN 'refused'
            WHEN response_code >= 400 THEN 'client error'
            ELSE 'succeeded'
        END AS outcome,
        actor, api_group, resource, verb
    FROM requests
    WHERE stage_timestamp IS NOT NULL
),
counted AS (
    SELECT
        bucket_started_at,
        outcome,
        response_code,
        count(*) AS requests,
        count(DISTINCT actor) AS actors,
        count(DISTINCT concat_ws('.', resource, nullif(api_group, ''))) AS resources
    FROM placed
    GROUP BY bucket_started_at, outcome, response_code
),
shared AS (
    SELECT counted.*, 100.0*requests / sum(requests) OVER (PARTITION BY bucket_started_at) AS share
    FROM counted
)
SELECT
    bucket_started_at,
    outcome,
    response_code,
    requests,
    round(share, 2) AS share_percent,
    actors,
    resources
FROM shared
WHERE $min_code IS NULL OR response_code >= $min_code OR response_code IS NULL AND $min_code <= CASE outcome WHEN 'server error' THEN 599 WHEN 'succeeded' THEN 0 ELSE 499 END
ORDER BY bucket_started_at, outcome, response_code
