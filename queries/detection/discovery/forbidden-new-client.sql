-- title = "Refused with a new program"
-- question = "Which principals were refused while they used a program for the first time?"
-- description = """
-- Refusals (decision forbid) with a pair of principal and program (the user agent up to the first slash) that did not
-- occur before. medium if a principal that was active before is refused at least `min_refusals` times, or on
-- secrets, RBAC, exec or tokens; low otherwise, and for principals that are new altogether."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1613", "T1078"]
-- controls = ["NIST SI-4", "SOC 2 CC7.2"]
-- tables = ["system_principals", "expected"]
-- baseline = "7d"
-- false_positives = "People who try another tool, and releases that bring another client library."
-- tuning = "A longer baseline finds less. Raise min_refusals. Add tools to the list expected, with the activity recon."
-- limits = "The client chooses its user agent. Anonymous requests are in anonymous-probe-burst."
-- message = "{principal} was refused {refusals}× with [{program}|no user agent][ from {peer_ip}], for the first time with that program"
-- columns.key = ["principal", "program", "peer_ip"]
-- columns.detail = ["known_principal", "resources", "namespaces", "user_agents", "first_seen", "last_seen"]
-- covers = ["E: Kubernetes Forbidden Request from Unusual User Agent", "EG: Forbidden Request from Unusual User Agent"]
-- differs = "Elastic's rule reports each new combination, a kubectl upgrade too; here versions do not count, and severity depends on what was asked."
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}", "denied-requests actor={principal}"]
-- [[needs]]
-- resources = ["*"]
-- columns = ["user_agent"]
-- [parameters.min_refusals]
-- type = "integer"
-- default = 3
-- doc = "So many refusals of a known principal are medium."
WITH refused AS (
    SELECT
        stage_timestamp, principal, split_part(coalesce(user_agent, ''), '/', 1) AS program, user_agent, resource, subresource,
        namespace, client_ip, peer_ip
    FROM denials
    WHERE refused_by IN ('authorization', 'unknown')
      AND principal IS NOT NULL
      AND principal <> 'system:anonymous'
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'recon', coalesce(namespace, ''))
)
SELECT
    max(stage_timestamp) AS stage_timestamp,
    CASE
        WHEN NOT known_principal THEN 'low'
        WHEN count(*) >= $min_refusals OR count(CASE
            WHEN resource IN ('secrets', 'roles', 'clusterroles', 'rolebindings', 'clusterrolebindings', 'certificatesigningrequests')
                OR subresource IN ('exec', 'attach', 'token', 'ephemeralcontainers', 'proxy') THEN 1
        END) > 0 THEN 'medium'
        ELSE 'low'
    END AS severity,
    principal,
    program,
    known_principal,
    count(*) AS refusals,
    array_agg(DISTINCT resource ORDER BY resource) AS resources,
    array_agg(DISTINCT namespace ORDER BY namespace) AS namespaces,
    array_agg(DISTINCT user_agent ORDER BY user_agent) AS user_agents,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    client_ip,
    peer_ip
FROM (
    SELECT refused.*, true AS known_principal
    FROM refused
    LEFT ANTI JOIN (
        SELECT DISTINCT principal, split_part(coalesce(user_agent, ''), '/', 1) AS program
        FROM earlier_requests
        WHERE principal IS NOT NULL
    ) AS known
        ON refused.principal = known.principal AND refused.program = known.program
    WHERE principal IN (SELECT principal FROM earlier_requests)
    UNION ALL
    SELECT refused.*, false AS known_principal
    FROM refused
    WHERE principal NOT IN (SELECT principal FROM earlier_requests WHERE principal IS NOT NULL)
) AS judged
GROUP BY principal, program, known_principal, client_ip, peer_ip
ORDER BY first_seen, principal, program, peer_ip, client_ip
