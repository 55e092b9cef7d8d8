-- title = "List bursts"
-- question = "Which programs list the same resource all at once, as after a restart of the apiserver?"
-- description = """
-- Bursts of lists: a program that listed one resource at least min_lists times in a minute, and at
-- least factor times as often as on its average minute. One row per burst; minutes that follow each
-- other are one. addresses tells an agent on every node from one busy client."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1"]
-- attack = []
-- false_positives = "Informers that list again after a restart of the apiserver: expected once, costly where every node does it without resourceVersion=0."
-- limits = "Averages are over the whole log, so a log of a few minutes shows few bursts. The user agent is what the client claims."
-- message = "[{program}|an unnamed program] listed {target} {lists}× in {minutes} min from {addresses} addresses (usual: {usual_per_minute} a minute)"
-- columns.key = ["program", "api_group", "resource", "first_seen"]
-- columns.detail = ["lists", "peak_per_minute", "addresses", "seconds"]
-- triage = ["unbounded-lists", "log-start-stop-events", "list-latency"]
-- [[needs]]
-- verbs = ["list"]
-- resources = ["*"]
-- [parameters.min_lists]
-- type = "integer"
-- default = 30
-- doc = "Lists in a minute from which on it counts as a burst."
-- [parameters.factor]
-- type = "number"
-- default = 5.0
-- doc = "How many times the average of a minute it must be."
WITH per_minute AS (
    SELECT
        split_part(user_agent, '/', 1) AS program,
        api_group,
        resource,
        CAST(request_received_timestamp AS BIGINT) / 60000000 AS minute,
        count(*) AS lists,
        sum(latency_ms) AS busy_ms,
        count(DISTINCT peer_ip) AS addresses,
        count(DISTINCT actor) AS actors,
        min(request_received_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen
    FROM requests
    WHERE verb = 'list'
      AND resource IS NOT NULL
      AND request_received_timestamp IS NOT NULL
    GROUP BY program, api_group, resource, minute
),
rated AS (
    SELECT
        per_minute.*,
        CAST(sum(lists) OVER (PARTITION BY program, api_group, resource) AS DOUBLE)
            / greatest(CAST(CAST(max(last_seen) OVER () AS BIGINT) - CAST(min(first_seen) OVER () AS BIGINT) AS DOUBLE) / 60000000, 1) AS usual
    FROM per_minute
),
busy AS (
    SELECT
        rated.*,
        lag(minute) OVER (PARTITION BY program, api_group, resource ORDER BY minute) AS minute_before
    FROM rated
    WHERE lists >= $min_lists
      AND lists >= $factor*usual
),
numbered AS (
    SELECT
        busy.*,
        count(CASE WHEN minute_before IS NULL OR minute > minute_before + 1 THEN 1 END) OVER (
            PARTITION BY program, api_group, resource ORDER BY minute
        ) AS burst
    FROM busy
)
SELECT
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    program,
    api_group,
    resource,
    concat_ws('.', resource, nullif(api_group, '')) AS target,
    sum(lists) AS lists,
    count(*) AS minutes,
    max(lists) AS peak_per_minute,
    round(max(usual), 2) AS usual_per_minute,
    max(addresses) AS addresses,
    max(actors) AS actors,
    round(sum(busy_ms) / 1000, 3) AS seconds
FROM numbered
GROUP BY program, api_group, resource, burst
ORDER BY lists DESC, first_seen, program, api_group, resource
