-- title = "Use of default service accounts"
-- question = "Which default service accounts use the API, and for what?"
-- description = """
-- What the service account named default of each namespace was allowed, by permission. Discovery
-- and questions about one's own rights (self subject reviews), which every client asks, are left
-- out. Workloads that need the API should have an account of their own; the others need no
-- token."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["CIS 5.1.5", "PCI-DSS 7.2.5", "SOC 2 CC6.3", "NIST AC-6"]
-- attack = ["T1078"]
-- false_positives = "Bootstrap jobs of charts that name no service account."
-- limits = "A token that is mounted and not used does not show: see unneeded-tokens."
-- message = "the default service account of {service_account_namespace}: {verb} {target}, requests {requests}"
-- columns.key = ["service_account_namespace", "verb", "api_group", "resource", "subresource", "path"]
-- columns.detail = ["requests", "pods", "via", "last_seen"]
-- triage = ["principal-timeline principal={principal}", "unneeded-tokens", "rbac-binding-usage"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "service-accounts"
-- columns = ["authz_decision"]
SELECT
    CASE WHEN verb IN ('get', 'list', 'watch') THEN 'info' ELSE 'low' END AS severity,
    principal,
    service_account_namespace,
    verb,
    api_group,
    resource,
    subresource,
    CASE WHEN resource IS NULL THEN split_part(request_uri, '?', 1) END AS path,
    coalesce(nullif(concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')), ''), split_part(request_uri, '?', 1)) AS target,
    count(*) AS requests,
    count(DISTINCT pod_name) AS pods,
    min(binding_kind || ' ' || binding_name) AS via,
    min(user_agent) AS user_agent,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM requests
WHERE username LIKE 'system:serviceaccount:%:default'
  AND authz_decision = 'allow'
  AND (resource IS NULL AND regexp_like(request_uri, '^/(?:api|apis|openapi|version|healthz|livez|readyz)(?:[/?.-]|$)')) IS NOT TRUE
  AND (resource IN ('selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'selfsubjectreviews')) IS NOT TRUE
GROUP BY principal, service_account_namespace, verb, api_group, resource, subresource, path, target
ORDER BY requests DESC, service_account_namespace, api_group, resource, subresource, path, verb
