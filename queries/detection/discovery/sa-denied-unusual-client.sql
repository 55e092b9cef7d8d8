-- title = "Service accounts refused with a new program"
-- question = "Which service accounts were refused while used with a program that they did not use before?"
-- description = """
-- Refusals (decision forbid) of service accounts that were active before, with a program (the user agent up to the
-- first slash) that they did not use then. A pod's token in somebody else's hands looks like this. One row per
-- client."""
-- severity = "low"
-- level = "Metadata"
-- attack = ["T1613", "T1528"]
-- controls = ["NIST SI-4", "SOC 2 CC7.2"]
-- tables = ["system_principals", "expected"]
-- baseline = "7d"
-- false_positives = "Releases that bring another client library, and debugging with kubectl in a pod."
-- tuning = "A longer baseline finds less. Add tools to the list expected, with the activity recon."
-- limits = "The client chooses its user agent. Service accounts without earlier requests are not looked at."
-- message = "{principal} was refused {refusals}× with [{program}|no user agent], which it did not use before, from {peer_ip}"
-- columns.key = ["principal", "program", "peer_ip"]
-- columns.detail = ["resources", "namespaces", "user_agents", "first_seen", "last_seen"]
-- covers = ["E: Kubernetes Denied Service Account Request via Unusual User Agent", "SP: service accounts with forbidden access"]
-- differs = "Versions do not make a program new: the user agent counts up to its first slash."
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}", "denied-requests actor={principal}"]
-- [[needs]]
-- resources = ["*"]
-- from = "service-accounts"
-- columns = ["user_agent"]
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'low' AS severity,
    refused.principal,
    refused.program,
    count(*) AS refusals,
    array_agg(DISTINCT resource ORDER BY resource) AS resources,
    array_agg(DISTINCT namespace ORDER BY namespace) AS namespaces,
    array_agg(DISTINCT user_agent ORDER BY user_agent) AS user_agents,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    client_ip,
    peer_ip
FROM (
    SELECT
        stage_timestamp, principal, split_part(coalesce(user_agent, ''), '/', 1) AS program, user_agent, resource, namespace,
        client_ip, peer_ip
    FROM denials
    WHERE refused_by IN ('authorization', 'unknown')
      AND principal LIKE 'system:serviceaccount:%'
      AND principal IN (SELECT principal FROM earlier_requests)
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'recon', coalesce(namespace, ''))
) AS refused
LEFT ANTI JOIN (
    SELECT DISTINCT principal, split_part(coalesce(user_agent, ''), '/', 1) AS program
    FROM earlier_requests
    WHERE principal LIKE 'system:serviceaccount:%'
) AS known
    ON refused.principal = known.principal AND refused.program = known.program
GROUP BY refused.principal, refused.program, client_ip, peer_ip
ORDER BY first_seen, principal, program, peer_ip, client_ip
