-- title = "User who is not on the list"
-- question = "Which people use the cluster who are not on the list?"
-- description = """
-- Principals other than service accounts, nodes and the control plane that are not in the list
-- allowed_principals: one row per principal, with what they did. low if everything was refused."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 7.2.4", "SOC 2 CC6.2", "NIST AC-2", "ISO 27001 A.5.18"]
-- attack = ["T1078"]
-- false_positives = "People whom the list forgot."
-- tuning = "Add rows with --table allowed_principals=FILE, such as *@example.com."
-- limits = "Without the list the query is not evaluable. Names are compared as the authenticator gives them."
-- message = "{principal}, who is not on the list, sent {requests} request(s)[ from {client_ip}]"
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}", "rbac-changes actor={principal}"]
-- covers = ["Falco: Disallowed K8s User"]
-- differs = "Falco's rule needs its list edited for every cloud's own users; here they are in system_principals."
-- tables = ["allowed_principals", "system_principals"]
-- columns.key = ["principal"]
-- columns.detail = ["writes", "first_seen", "last_seen", "user_agents"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "people"
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE WHEN bool_or(outcome(response_code, dry_run) = 'succeeded') THEN 'medium' ELSE 'low' END AS severity,
    CASE WHEN bool_or(outcome(response_code, dry_run) = 'succeeded') THEN 'succeeded' ELSE 'refused' END AS outcome,
    principal,
    count(*) AS requests,
    count(*) FILTER (WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND outcome(response_code, dry_run) = 'succeeded') AS writes,
    count(*) FILTER (WHERE outcome(response_code, dry_run) = 'refused') AS refusals,
    min(client_ip) AS client_ip,
    min(peer_ip) AS peer_ip,
    array_slice(array_agg(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL), 1, 10) AS user_agents
FROM requests
WHERE principal NOT LIKE 'system:%'
  AND NOT listed('system_principals', principal)
  AND NOT listed('allowed_principals', principal)
GROUP BY principal
ORDER BY first_seen, principal
