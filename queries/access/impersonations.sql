-- title = "Impersonations"
-- question = "Who acted as whom, and who tried to and was refused?"
-- description = """
-- Requests made with impersonation, and attempts at it that were refused, one row per impersonator,
-- target, client and result. result is used (the impersonation was allowed; denied counts the requests
-- that were refused all the same, since the target may not do that) or refused (the user may not
-- impersonate). constraint_mode is the kind of a constrained impersonation, and legacy for the older
-- kind. Severity is medium for targets with the rights of the cluster's administrators
-- (system:masters, the control plane, nodes, service accounts of system namespaces), low otherwise,
-- and info for proxies that sign in people, where impersonation is the rule. Tools that impersonate
-- people are refused now and then, so refused attempts are low."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["CIS 5.1.8", "PCI-DSS 10.2.1.2", "SOC 2 CC6.3", "NIST AC-6(9)", "NIST AU-12"]
-- attack = ["T1134", "T1078"]
-- false_positives = "Dashboards, GitOps tools and help desks that impersonate people or tenants."
-- limits = "The log does not name the target of a refused attempt, except in the message; with constrained impersonation, the object is that of the request. Where a delivery drops messages, refused attempts are not found. The apiserver logs the impersonated user only with the answer."
-- message = "{impersonator} acted as [{target}|somebody] ({result}, {requests}×)[: {reason}]"
-- columns.key = ["impersonator", "target", "result", "client_ip", "user_agent"]
-- columns.detail = ["target_groups", "constraint_mode", "denied", "verbs", "last_seen"]
-- tables = ["system_principals", "system_namespaces", "expected"]
-- triage = ["principal-timeline principal={impersonator}", "principal-timeline principal={target}", "denied-requests actor={impersonator}"]
-- tuning = "Add tools that impersonate by design to expected, activity impersonation."
-- covers = ["Elastic: defense_evasion_kubernetes_user_impersonation"]
-- differs = "Refused attempts have no impersonated user in the log, and are found by their message."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- [parameters.impersonator]
-- type = "string"
-- doc = "Only this user's impersonations."
-- [parameters.target]
-- type = "string"
-- doc = "Only impersonations of this user."
WITH attempts AS (
    SELECT
        stage_timestamp, request_received_timestamp, audit_id, source_file, source_line, username, principal, impersonated_username,
        impersonated_groups, impersonation_constraint, verb, resource, namespace, response_code, client_ip, peer_ip, user_agent,
        'used' AS result, CAST(NULL AS VARCHAR) AS reason
    FROM requests
    WHERE impersonated_username IS NOT NULL
    UNION ALL
    SELECT
        stage_timestamp, request_received_timestamp, audit_id, source_file, source_line, username, principal, impersonated_username,
        impersonated_groups, impersonation_constraint, verb, resource, namespace, response_code, client_ip, peer_ip, user_agent,
        'refused' AS result, response_message AS reason
    FROM denials
    WHERE cause = 'impersonation'
      AND impersonated_username IS NULL
)
SELECT
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE
        WHEN result = 'refused' THEN 'low'
        WHEN principal <> username THEN 'info'
        WHEN array_has(impersonated_groups, 'system:masters') OR listed('system_principals', impersonated_username)
            OR impersonated_username LIKE 'system:serviceaccount:%' AND listed('system_namespaces', split_part(impersonated_username, ':', 3))
            THEN 'medium'
        ELSE 'low'
    END AS severity,
    CASE result WHEN 'used' THEN 'succeeded' ELSE 'refused' END AS outcome,
    result,
    username AS impersonator,
    impersonated_username AS target,
    impersonated_groups AS target_groups,
    CASE WHEN result = 'used' THEN coalesce(impersonation_constraint, 'legacy') END AS constraint_mode,
    min(reason) AS reason,
    count(*) AS requests,
    count(*) FILTER (WHERE response_code IN (401, 403)) AS denied,
    array_agg(DISTINCT verb ORDER BY verb) AS verbs,
    array_agg(DISTINCT resource ORDER BY resource) FILTER (WHERE resource IS NOT NULL) AS resources,
    array_agg(DISTINCT namespace ORDER BY namespace) FILTER (WHERE namespace <> '') AS namespaces,
    client_ip,
    peer_ip,
    user_agent
FROM attempts
WHERE ($impersonator IS NULL OR username = $impersonator)
  AND ($target IS NULL OR impersonated_username = $target)
  AND NOT listed('expected', username, 'impersonation', namespace)
GROUP BY
    result, username, principal, impersonated_username, impersonated_groups, impersonation_constraint, client_ip, peer_ip,
    user_agent
ORDER BY first_seen, impersonator, target, result, client_ip, peer_ip, user_agent
