-- title = "Use by team"
-- question = "Which team uses how much of the apiserver?"
-- description = """
-- Requests, time in the apiserver and writes by team. The list teams says which principals and
-- namespaces belong to which team; a request belongs to the team of its principal, else of its
-- namespace, and of several rows the one with the longest patterns wins. What belongs to none is
-- the row \"(none)\"; the control plane and nodes are \"(system)\" unless the list names them."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1"]
-- attack = []
-- false_positives = "None: this is an inventory."
-- limits = "This is the load on the apiserver, not on nodes: it says nothing about CPU, memory or storage of workloads. Requests that the audit policy does not log are not counted. Streams (watch, exec, logs) count as requests and not in seconds."
-- message = "{team}: requests {requests} ({share_percent}%), seconds {seconds} ({seconds_share_percent}%), writes {writes}"
-- columns.key = ["team"]
-- columns.detail = ["requests", "share_percent", "seconds", "writes", "principals"]
-- tables = ["teams", "system_principals"]
-- tuning = "Rows of teams: a principal, a namespace, or both; * matches any text."
-- triage = ["top-clients"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
WITH used AS (
    SELECT
        principal,
        namespace,
        listed('system_principals', principal) AS is_system,
        count(*) AS requests,
        count(*) FILTER (WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND response_code BETWEEN 200 AND 299) AS writes,
        count(*) FILTER (WHERE response_code = 429) AS throttled,
        count(*) FILTER (WHERE response_code >= 400 AND response_code <> 429) AS failed,
        sum(CASE
            WHEN (verb IN ('watch', 'proxy') OR subresource IN ('exec', 'attach', 'portforward', 'log', 'proxy')) IS NOT TRUE
                THEN latency_ms
        END) AS busy_ms,
        min(request_received_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen
    FROM requests
    GROUP BY principal, namespace
),
matched AS (
    SELECT
        used.*,
        teams.team,
        row_number() OVER (
            PARTITION BY used.principal, used.namespace
            ORDER BY coalesce(length(nullif(teams.principal, '')), 0) DESC, coalesce(length(nullif(teams.namespace, '')), 0) DESC, teams.team
        ) AS place
    FROM used
    LEFT JOIN teams
        ON coalesce(used.principal, '') LIKE
            replace(replace(replace(replace(replace(coalesce(nullif(teams.principal, ''), '*'), '\', '\\'), '%', '\%'), '_', '\_'), '*', '%'), '?', '_')
        AND coalesce(used.namespace, '') LIKE
            replace(replace(replace(replace(replace(coalesce(nullif(teams.namespace, ''), '*'), '\', '\\'), '%', '\%'), '_', '\_'), '*', '%'), '?', '_')
),
counted AS (
    SELECT
        coalesce(team, CASE WHEN is_system THEN '(system)' ELSE '(none)' END) AS team,
        sum(requests) AS requests,
        coalesce(sum(busy_ms), 0) / 1000 AS busy_seconds,
        sum(writes) AS writes,
        sum(failed) AS failed,
        sum(throttled) AS throttled,
        count(DISTINCT principal) AS principals,
        count(DISTINCT nullif(namespace, '')) AS namespaces,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen
    FROM matched
    WHERE place = 1
    GROUP BY coalesce(team, CASE WHEN is_system THEN '(system)' ELSE '(none)' END)
)
SELECT
    team,
    requests,
    round(100.0*requests / sum(requests) OVER (), 2) AS share_percent,
    round(busy_seconds, 3) AS seconds,
    round(100*busy_seconds / nullif(sum(busy_seconds) OVER (), 0), 2) AS seconds_share_percent,
    writes,
    failed,
    throttled,
    principals,
    namespaces,
    first_seen,
    last_seen
FROM counted
ORDER BY requests DESC, team
