-- title = "Anonymous write"
-- question = "Who tried to change the cluster without credentials?"
-- description = """
-- Creations, changes and deletions by system:anonymous or the group system:unauthenticated, by what they
-- wrote and where they came from. critical if one succeeded, high if it was authorised and failed, low
-- if it was refused. Access reviews of oneself are left out."""
-- severity = "critical"
-- level = "Metadata"
-- controls = ["CIS 1.2.1", "PCI-DSS 7.3.3", "SOC 2 CC6.6", "NIST AC-3"]
-- attack = ["T1078.001", "T1610"]
-- false_positives = "None for those that succeeded; scanners for those that were refused."
-- tuning = "Remove bindings to system:anonymous and system:unauthenticated."
-- limits = "exec and other streams are in anonymous-request-allowed."
-- message = "anonymous client from [{peer_ip}|an unknown address]: {operation} {resource}[ {namespace}/][{name}] ({outcome}, {requests}×)"
-- triage = ["anonymous-requests", "rbac-changes", "object-history resource={resource} namespace={namespace} name={name}"]
-- covers = ["Elastic: Kubernetes Anonymous User Create/Update/Patch Pods Request", "Google: Kubernetes Resource Created Anonymously", "Google: Kubernetes Resource Modified Anonymously"]
-- differs = "Every resource and every writing verb; refused ones are told apart."
-- columns.key = ["operation", "resource", "namespace", "name", "outcome", "peer_ip"]
-- columns.detail = ["response_codes", "client_ip", "user_agents"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
-- from = "anonymous"
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE
        WHEN outcome IN ('succeeded', 'unknown') THEN 'critical'
        WHEN bool_or(authz_decision = 'allow') IS TRUE THEN 'high'
        ELSE 'low'
    END AS severity,
    outcome,
    operation,
    api_group,
    resource,
    subresource,
    namespace,
    name,
    count(*) AS requests,
    array_agg(DISTINCT response_code ORDER BY response_code) AS response_codes,
    client_ip,
    peer_ip,
    array_agg(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL) AS user_agents
FROM write_requests
WHERE (username = 'system:anonymous' OR array_has(user_groups, 'system:unauthenticated'))
  AND write_kind <> 'review'
GROUP BY outcome, operation, api_group, resource, subresource, namespace, name, client_ip, peer_ip
ORDER BY first_seen, operation, resource, subresource, namespace, name, outcome, peer_ip, client_ip
