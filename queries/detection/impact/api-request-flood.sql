-- title = "Flood of requests"
-- question = "Who sends so many requests that others may be turned away?"
-- description = """
-- Minutes in which one principal sent at least min_requests requests from one address (service accounts: five
-- times as many), or was turned away at least min_throttled times by priority and fairness (429). One row per
-- principal and address for minutes in a row. medium: it was turned away that often; low: the requests alone.
-- Refused evictions are 429, too, and are not counted. Requests of the control plane and of principals in the list
-- expected (activity recon) are left out."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["NIST SC-5", "SOC 2 A1.1"]
-- attack = ["T1499"]
-- covers = ["Microsoft threat matrix: Denial of service"]
-- differs = "No other rule set has it."
-- false_positives = "Controllers in a hot loop, scripts of people, load tests."
-- limits = "Counts what the audit policy records. A flood across the end of a minute counts in two halves. Long watches count when they end."
-- tuning = "Raise min_requests and min_throttled; add busy agents to expected with activity recon."
-- triage = ["top-clients", "throttled-requests", "principal-timeline principal={principal}"]
-- tables = ["system_principals", "expected"]
-- message = "[{principal}|somebody] sent {requests} requests in {minutes} minutes from {client_ip}, up to {peak} a minute; {throttled} were turned away"
-- columns.key = ["principal", "client_ip", "first_seen"]
-- columns.detail = ["peak", "throttled", "refused", "sample_resource", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["response_code"]
-- [parameters.min_requests]
-- type = "integer"
-- default = 600
-- doc = "At least this many requests in a minute; service accounts five times as many."
-- [parameters.min_throttled]
-- type = "integer"
-- default = 10
-- doc = "Or at least this many answers 429 in a minute."
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    min(minute_first) AS first_seen,
    max(minute_last) AS last_seen,
    CASE WHEN max(minute_throttled) >= $min_throttled THEN 'medium' ELSE 'low' END AS severity,
    principal,
    client_ip,
    CAST(sum(minute_requests) AS BIGINT) AS requests,
    count(*) AS minutes,
    max(minute_requests) AS peak,
    CAST(sum(minute_throttled) AS BIGINT) AS throttled,
    CAST(sum(minute_refused) AS BIGINT) AS refused,
    min(minute_resource) AS sample_resource,
    min(minute_peer) AS peer_ip,
    min(minute_agent) AS user_agent
FROM (
    SELECT
        spaced.*,
        count(CASE WHEN is_first THEN 1 END) OVER (
            PARTITION BY cluster, principal, client_ip ORDER BY minute ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS flood
    FROM (
        SELECT
            counted.*,
            coalesce(
                minute - lag(minute) OVER (PARTITION BY cluster, principal, client_ip ORDER BY minute) > INTERVAL '1 minute', true
            ) AS is_first
        FROM (
            SELECT
                cluster,
                principal,
                client_ip,
                date_trunc('minute', stage_timestamp) AS minute,
                min(stage_timestamp) AS minute_first,
                max(stage_timestamp) AS minute_last,
                count(*) AS minute_requests,
                count(CASE WHEN response_code = 429 AND (subresource IS DISTINCT FROM 'eviction') THEN 1 END) AS minute_throttled,
                count(CASE WHEN outcome(response_code, dry_run) = 'refused' THEN 1 END) AS minute_refused,
                min(resource) AS minute_resource,
                min(peer_ip) AS minute_peer,
                min(user_agent) AS minute_agent
            FROM requests
            WHERE NOT listed('system_principals', principal)
              AND NOT listed('expected', principal, 'recon', namespace)
              AND ($actor IS NULL OR actor = $actor OR principal = $actor)
            GROUP BY cluster, principal, client_ip, minute
            HAVING count(*) / CASE WHEN principal LIKE 'system:serviceaccount:%' THEN 5 ELSE 1 END >= $min_requests
                OR count(CASE WHEN response_code = 429 AND (subresource IS DISTINCT FROM 'eviction') THEN 1 END) >= $min_throttled
        ) AS counted
    ) AS spaced
) AS floods
GROUP BY cluster, principal, client_ip, flood
ORDER BY first_seen, principal, client_ip
