-- title = "Logs of many pods read"
-- question = "Who read the logs of many different pods?"
-- description = """
-- Bursts in which one client reads the logs of at least `min_pods` different pods, with pauses of at most `gap`.
-- Logs often hold tokens and personal data. low."""
-- severity = "low"
-- level = "Metadata"
-- attack = ["T1530", "T1552"]
-- controls = ["NIST AC-6", "GDPR Art. 32"]
-- tables = ["system_principals", "expected"]
-- false_positives = "People who look for a fault with stern or k9s, and agents that collect logs through the API."
-- tuning = "Raise min_pods; add log collectors to the list expected, with the activity recon."
-- limits = "What the logs held is not in the audit log. A log that is still being followed is counted once it ends."
-- message = "{actor} read the logs of {pods} pods from {peer_ip}[ with {user_agent}]"
-- columns.key = ["actor", "principal", "user_agent", "peer_ip"]
-- columns.detail = ["requests", "refused", "namespaces", "first_seen", "last_seen"]
-- covers = ["TM: MS-TA9041"]
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}"]
-- [[needs]]
-- verbs = ["get"]
-- resources = ["pods/log"]
-- [parameters.gap]
-- type = "duration"
-- default = "10m"
-- doc = "A pause longer than this begins a new burst."
-- [parameters.min_pods]
-- type = "integer"
-- default = 10
-- doc = "Different pods in a burst."
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'low' AS severity,
    actor,
    principal,
    count(DISTINCT namespace || '/' || name) AS pods,
    count(*) AS requests,
    count(CASE WHEN response_code IN (401, 403) THEN 1 END) AS refused,
    count(DISTINCT namespace) AS namespace_count,
    array_agg(DISTINCT namespace ORDER BY namespace) AS namespaces,
    min(begun) AS first_seen,
    max(begun) AS last_seen,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        paced.*,
        count(CASE WHEN idle_ms IS NULL OR idle_ms > $gap THEN 1 END) OVER (
            PARTITION BY cluster, principal, actor, client_ip, peer_ip, user_agent
            ORDER BY begun, stage_timestamp, audit_id, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS burst
    FROM (
        SELECT
            cluster, stage_timestamp, actor, principal, namespace, name, response_code, client_ip, peer_ip, user_agent, audit_id,
            source_file, source_offset,
            -- A followed log ends long after it was asked for.
            coalesce(request_received_timestamp, stage_timestamp) AS begun,
            CAST(
                CAST(coalesce(request_received_timestamp, stage_timestamp) AS BIGINT)
                - CAST(lag(coalesce(request_received_timestamp, stage_timestamp)) OVER (
                    PARTITION BY cluster, principal, actor, client_ip, peer_ip, user_agent
                    ORDER BY coalesce(request_received_timestamp, stage_timestamp), stage_timestamp, audit_id, source_file,
                        source_offset
                ) AS BIGINT) AS DOUBLE
            ) / 1000 AS idle_ms
        FROM requests
        WHERE verb = 'get'
          AND resource = 'pods'
          AND api_group = ''
          AND subresource = 'log'
          AND NOT listed('system_principals', principal)
          AND NOT listed('expected', principal, 'recon', namespace)
    ) AS paced
) AS bursts
GROUP BY cluster, actor, principal, client_ip, peer_ip, user_agent, burst
HAVING count(DISTINCT namespace || '/' || name) >= $min_pods
ORDER BY first_seen, actor, user_agent, peer_ip, client_ip
