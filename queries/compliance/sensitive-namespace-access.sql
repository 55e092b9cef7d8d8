-- title = "Access to namespaces with protected data"
-- question = "Who reached the namespaces that hold protected data, and how?"
-- description = """
-- People (and, with machines, other accounts) who reached a namespace of the list
-- sensitive_namespaces. way says how: session (exec, attach, port-forward), proxy, logs, secrets,
-- storage, write or read. One row per principal, namespace, way and outcome. Sessions, proxies and
-- secrets of people are low, anything else info."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 7.2.6", "PCI-DSS 10.2.1.1", "HIPAA 164.312(b)", "HIPAA 164.308(a)(4)", "SOC 2 C1.1", "NIST AC-6(9)", "ISO 27001 A.8.3", "GDPR Art. 5(2)", "GDPR Art. 30"]
-- attack = ["T1213"]
-- false_positives = "On-call staff and deployments that belong there."
-- limits = "What is read inside a container or a database is not in this log. Reads across all namespaces name none, and are not included: see secrets-read and top-clients."
-- message = "{principal}: {way} in {namespace} ({holds}), requests {requests} ({outcome})"
-- columns.key = ["principal", "namespace", "way", "outcome"]
-- columns.detail = ["requests", "resources", "first_seen", "last_seen", "addresses"]
-- tables = ["sensitive_namespaces", "system_principals"]
-- tuning = "Rows of sensitive_namespaces."
-- triage = ["namespace-access namespace={namespace}", "pod-exec-sessions namespace={namespace}", "principal-timeline principal={principal}"]
-- [[needs]]
-- resources = ["*"]
-- stage = "any"
-- [parameters.machines]
-- type = "boolean"
-- default = false
-- doc = "Include service accounts."
WITH reached AS (
    SELECT
        principal, namespace, verb, api_group, resource, subresource, response_code, dry_run, client_ip, user_agent,
        request_received_timestamp, stage_timestamp
    FROM requests
    WHERE namespace <> ''
      AND listed('sensitive_namespaces', namespace)
      AND NOT listed('system_principals', principal)
      AND ($machines OR principal NOT LIKE 'system:serviceaccount:%')
    UNION ALL
    SELECT
        principal, namespace, verb, api_group, resource, subresource, response_code, dry_run, client_ip, user_agent,
        request_received_timestamp, stage_timestamp
    FROM unfinished_requests
    WHERE namespace <> ''
      AND response_code IS NOT NULL
      AND listed('sensitive_namespaces', namespace)
      AND NOT listed('system_principals', principal)
      AND ($machines OR principal NOT LIKE 'system:serviceaccount:%')
),
told AS (
    SELECT
        reached.*,
        outcome(response_code, dry_run) AS outcome,
        CASE
            WHEN subresource IN ('exec', 'attach', 'portforward') THEN 'session'
            WHEN subresource = 'proxy' THEN 'proxy'
            WHEN subresource = 'log' THEN 'logs'
            WHEN api_group = '' AND resource = 'secrets' THEN 'secrets'
            WHEN api_group = '' AND resource IN ('persistentvolumeclaims', 'persistentvolumes') OR api_group = 'snapshot.storage.k8s.io' THEN 'storage'
            WHEN verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') THEN 'write'
            ELSE 'read'
        END AS way
    FROM reached
),
grouped AS (
    SELECT
        principal, namespace, way, outcome,
        count(*) AS requests,
        array_agg(DISTINCT concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')) ORDER BY concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, ''))) AS resources,
        array_agg(DISTINCT client_ip ORDER BY client_ip) FILTER (WHERE client_ip IS NOT NULL) AS addresses,
        min(request_received_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen
    FROM told
    GROUP BY principal, namespace, way, outcome
)
SELECT
    CASE WHEN way IN ('session', 'proxy', 'secrets') AND principal NOT LIKE 'system:%' THEN graded('low', outcome) ELSE 'info' END AS severity,
    principal,
    namespace,
    max(holds) AS holds,
    way,
    outcome,
    max(requests) AS requests,
    max(resources) AS resources,
    max(addresses) AS addresses,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM grouped
JOIN (
    SELECT namespace AS pattern, holds
    FROM sensitive_namespaces
) AS lists
    ON namespace LIKE replace(replace(replace(replace(replace(coalesce(nullif(pattern, ''), '*'), '\', '\\'), '%', '\%'), '_', '\_'), '*', '%'), '?', '_')
GROUP BY principal, namespace, way, outcome
ORDER BY CASE way WHEN 'session' THEN 0 WHEN 'secrets' THEN 1 WHEN 'proxy' THEN 2 ELSE 3 END, requests DESC, principal, namespace, way, outcome
