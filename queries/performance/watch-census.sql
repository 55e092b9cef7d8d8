-- title = "Watch census"
-- question = "How many watches are open at once, on what, and by whom?"
-- description = """
-- Watches by program, resource and scope: how many began, how many are still open where the log
-- ends, and the most that were open at one time (peak, at peak_at). clients are different actors
-- and addresses. A watch without its end in the log counts as open from its start on."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1"]
-- attack = []
-- false_positives = "None: this is an inventory."
-- limits = "Watches that began before the log and have not ended are not visible, so the first hour counts too few. A watch whose end was lost stays open."
-- message = "[{program}|an unnamed program] watches {target} at {scope} scope: {watches} watches, at most {peak} at once, {open_at_end} open at the end"
-- columns.key = ["program", "api_group", "resource", "scope"]
-- columns.detail = ["peak_at", "open_at_end", "p50_seconds", "clients"]
-- triage = ["watch-storms", "top-clients"]
-- [[needs]]
-- verbs = ["watch"]
-- resources = ["*"]
-- stage = "any"
WITH watches AS (
    SELECT
        split_part(user_agent, '/', 1) AS program, api_group, resource, actor, peer_ip, latency_ms,
        CASE WHEN name <> '' THEN 'object' WHEN namespace <> '' THEN 'namespace' ELSE 'cluster' END AS scope,
        request_received_timestamp AS started_at, stage_timestamp AS ended_at
    FROM requests
    WHERE verb = 'watch'
      AND resource IS NOT NULL
      AND response_code BETWEEN 200 AND 299
    UNION ALL
    SELECT
        split_part(user_agent, '/', 1) AS program, api_group, resource, actor, peer_ip, CAST(NULL AS DOUBLE) AS latency_ms,
        CASE WHEN name <> '' THEN 'object' WHEN namespace <> '' THEN 'namespace' ELSE 'cluster' END AS scope,
        request_received_timestamp AS started_at, CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS ended_at
    FROM unfinished_requests
    WHERE verb = 'watch'
      AND resource IS NOT NULL
      AND (response_code >= 300) IS NOT TRUE
),
changes AS (
    SELECT program, api_group, resource, scope, actor, peer_ip, latency_ms, started_at, ended_at, started_at AS at, 1 AS change
    FROM watches
    UNION ALL
    SELECT program, api_group, resource, scope, actor, peer_ip, NULL AS latency_ms, started_at, ended_at, ended_at AS at, -1 AS change
    FROM watches
    WHERE ended_at IS NOT NULL
),
counted AS (
    SELECT
        changes.*,
        -- At the same instant a watch ends before the next one begins.
        sum(change) OVER (
            PARTITION BY program, api_group, resource, scope
            ORDER BY at, change, started_at, actor
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS open
    FROM changes
),
topped AS (
    SELECT counted.*, max(open) OVER (PARTITION BY program, api_group, resource, scope) AS peak
    FROM counted
)
SELECT
    program,
    api_group,
    resource,
    concat_ws('.', resource, nullif(api_group, '')) AS target,
    scope,
    count(*) FILTER (WHERE change = 1) AS watches,
    max(peak) AS peak,
    min(CASE WHEN open = peak THEN at END) AS peak_at,
    count(*) FILTER (WHERE change = 1 AND ended_at IS NULL) AS open_at_end,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) / 1000, 3) AS p50_seconds,
    count(DISTINCT concat_ws(' ', actor, peer_ip)) AS clients,
    min(started_at) AS first_seen,
    max(at) AS last_seen
FROM topped
GROUP BY program, api_group, resource, scope
ORDER BY peak DESC, watches DESC, program, api_group, resource, scope
