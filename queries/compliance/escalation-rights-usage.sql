-- title = "Use of rights that lead to others"
-- question = "Which rights that can be turned into others were used, by whom?"
-- description = """
-- For each right through which somebody can gain others: who used it, how often, when last. right
-- is one of: create pods, write workloads, exec into pods, ephemeral containers, read secrets, list
-- secrets, issue tokens, write RBAC, impersonate, approve certificates, write webhooks, write
-- persistent volumes, nodes proxy, write nodes, write CRDs or APIServices. The control plane and
-- expected principals are left out. Refused attempts have their own rows."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["CIS 5.1.2", "CIS 5.1.4", "CIS 5.1.8", "CIS 5.1.9", "CIS 5.1.10", "CIS 5.1.11", "CIS 5.1.12", "CIS 5.1.13", "PCI-DSS 7.2.2", "NIST AC-6(7)", "NIST AC-6(9)", "SOC 2 CC6.3", "ISO 27001 A.8.2"]
-- attack = ["T1098.006", "T1078"]
-- false_positives = "None: this is an inventory."
-- limits = "bind and escalate have no event of their own: they were used where somebody granted rights that he does not hold. Impersonation that was refused is in impersonation queries. A right that nobody used does not show: see `auditql rbac`."
-- message = "{principal} used the right to {used_right} {requests}× ({outcome})"
-- columns.key = ["principal", "used_right", "outcome"]
-- columns.detail = ["requests", "namespaces", "via", "last_seen"]
-- tables = ["system_principals", "expected"]
-- tuning = "Rows of expected."
-- triage = ["principal-timeline principal={principal}", "rbac-changes actor={principal}", "secrets-read actor={principal}"]
-- [[needs]]
-- resources = ["*"]
-- stage = "any"
-- [parameters.right]
-- type = "string"
-- doc = "Only this right, such as 'impersonate' or 'nodes proxy'."
WITH told AS (
    SELECT
        principal, namespace, outcome(response_code, dry_run) AS outcome, binding_kind, binding_name, request_received_timestamp, stage_timestamp,
        CASE
            WHEN impersonated_username IS NOT NULL AND username = principal THEN 'impersonate'
            WHEN api_group = '' AND resource = 'pods' AND subresource IN ('exec', 'attach') THEN 'exec into pods'
            WHEN api_group = '' AND resource = 'pods' AND subresource = 'ephemeralcontainers' AND verb IN ('update', 'patch') THEN 'ephemeral containers'
            WHEN api_group = '' AND resource = 'pods' AND subresource = '' AND verb = 'create' THEN 'create pods'
            WHEN (api_group = 'apps' AND resource IN ('deployments', 'daemonsets', 'statefulsets', 'replicasets') OR api_group = 'batch' AND resource IN ('jobs', 'cronjobs'))
                AND subresource = '' AND verb IN ('create', 'update', 'patch') THEN 'write workloads'
            WHEN api_group = '' AND resource = 'secrets' AND verb IN ('list', 'watch') AND name = '' THEN 'list secrets'
            WHEN api_group = '' AND resource = 'secrets' AND verb IN ('get', 'list', 'watch') THEN 'read secrets'
            WHEN api_group = '' AND resource = 'serviceaccounts' AND subresource = 'token' AND verb = 'create' THEN 'issue tokens'
            WHEN api_group = 'rbac.authorization.k8s.io' AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') THEN 'write RBAC'
            WHEN api_group = 'certificates.k8s.io' AND subresource IN ('approval', 'status') AND verb IN ('update', 'patch') THEN 'approve certificates'
            WHEN api_group = 'admissionregistration.k8s.io' AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') THEN 'write webhooks and policies'
            WHEN api_group = '' AND resource = 'persistentvolumes' AND subresource = '' AND verb IN ('create', 'update', 'patch') THEN 'write persistent volumes'
            WHEN api_group = '' AND resource = 'nodes' AND subresource = 'proxy' THEN 'nodes proxy'
            WHEN api_group = '' AND resource = 'nodes' AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') THEN 'write nodes'
            WHEN api_group IN ('apiextensions.k8s.io', 'apiregistration.k8s.io') AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') THEN 'write CRDs or APIServices'
        END AS permission
    FROM requests
    WHERE resource IS NOT NULL
      AND principal IS NOT NULL
      AND NOT listed('system_principals', principal)
)
SELECT
    principal,
    permission AS used_right,
    outcome,
    count(*) AS requests,
    count(DISTINCT nullif(namespace, '')) AS namespaces,
    array_agg(DISTINCT binding_kind || ' ' || binding_name ORDER BY binding_kind || ' ' || binding_name) FILTER (WHERE binding_name IS NOT NULL) AS via,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM told
WHERE permission IS NOT NULL
  AND NOT listed('expected', principal, CASE permission
      WHEN 'impersonate' THEN 'impersonation' WHEN 'exec into pods' THEN 'exec' WHEN 'list secrets' THEN 'secrets' WHEN 'read secrets' THEN 'secrets'
      WHEN 'issue tokens' THEN 'tokens' WHEN 'write RBAC' THEN 'rbac' WHEN 'approve certificates' THEN 'csr' WHEN 'write webhooks and policies' THEN 'webhooks'
      WHEN 'write persistent volumes' THEN 'volumes' WHEN 'nodes proxy' THEN 'proxy' WHEN 'write nodes' THEN 'nodes' WHEN 'write CRDs or APIServices' THEN 'crds'
      ELSE 'workloads'
  END, namespace)
  AND ($right IS NULL OR permission = $right)
GROUP BY principal, permission, outcome
ORDER BY permission, requests DESC, principal, outcome
