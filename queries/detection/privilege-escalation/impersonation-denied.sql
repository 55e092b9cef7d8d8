-- title = "Impersonation refused"
-- question = "Who tried to act as somebody else and may not?"
-- description = """
-- Requests that were refused because the user may not impersonate, grouped by user and target. Medium
-- for someone who impersonates nobody successfully in the log, or if the target is a system identity;
-- low for those who may impersonate others, as a help desk does: they reached a limit of theirs."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 8.2.2", "SOC 2 CC6.1", "NIST AC-6(9)", "ISO 27001 A.8.2"]
-- attack = ["T1134"]
-- tables = ["system_principals", "system_namespaces", "expected"]
-- false_positives = "Scripts with --as under the wrong account."
-- limits = "With constrained impersonation (Kubernetes 1.35) the refusal names what the request was about, not whom the user tried to be: target is NULL then. Where a delivery drops messages, these refusals cannot be told from others."
-- tuning = "Add help desks, dashboards and controllers that act for others to the list expected, with activity impersonation."
-- triage = ["denied-requests actor={principal}", "principal-timeline principal={principal}"]
-- message = "{principal} was refused to act as [{target}|somebody else] ({attempts}×[: {what}])"
-- columns.key = ["principal", "target"]
-- columns.detail = ["attempts", "what", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["response_message"]
WITH refused AS (
    SELECT
        stage_timestamp, principal, verb, resource, request_uri, namespace, client_ip, peer_ip, user_agent, audit_id, source_file,
        source_line,
        CASE body_text(response_details, 'kind')
            WHEN 'users' THEN body_text(response_details, 'name')
            WHEN 'groups' THEN body_text(response_details, 'name')
            WHEN 'serviceaccounts' THEN concat(
                'system:serviceaccount:', regexp_match(response_message, ' in the namespace "([^"]+)"$')[1], ':',
                body_text(response_details, 'name')
            )
        END AS target
    FROM denials
    WHERE cause = 'impersonation'
      AND NOT listed('expected', principal, 'impersonation', namespace)
),
weighed AS (
    SELECT 2 AS weight, refused.*
    FROM refused
    WHERE principal NOT IN (SELECT username FROM requests WHERE impersonated_username IS NOT NULL AND username IS NOT NULL)
    UNION ALL
    SELECT
        CASE
            WHEN listed('system_principals', target) OR target IN ('system:masters', 'system:nodes', 'system:admin', 'kubernetes-admin')
                OR listed('system_namespaces', regexp_match(target, '^system:serviceaccount:([^:]+):')[1]) THEN 2
            ELSE 1
        END AS weight,
        refused.*
    FROM refused
    WHERE principal IN (SELECT username FROM requests WHERE impersonated_username IS NOT NULL AND username IS NOT NULL)
)
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE max(weight) WHEN 2 THEN 'medium' ELSE 'low' END AS severity,
    'refused' AS outcome,
    principal,
    target,
    count(*) AS attempts,
    array_to_string(array_sort(array_agg(DISTINCT verb || ' ' || coalesce(resource, request_uri))), ', ') AS what,
    min(client_ip) AS client_ip,
    min(peer_ip) AS peer_ip,
    min(user_agent) AS user_agent,
    first_value(audit_id ORDER BY stage_timestamp) AS audit_id,
    first_value(source_file ORDER BY stage_timestamp) AS source_file,
    first_value(source_line ORDER BY stage_timestamp) AS source_line
FROM weighed
GROUP BY principal, target
ORDER BY first_seen, principal, target
