-- title = "Secrets read by a workload"
-- question = "Which service accounts and nodes read secrets that nobody expects them to read?"
-- description = """
-- Successful reads of secrets by service accounts, and by nodes with a program other than the kubelet,
-- one row per client. Medium if secrets of other namespaces are read by a program that does not look
-- like an operator (the usual user agent of client-go: program/version (os/architecture)), or if a
-- node's credentials are used; low otherwise, info for Helm's releases. The control plane and the
-- operators in the list expected are left out."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["CIS 5.1.2", "CIS 5.1.6", "PCI-DSS 7.2.5", "SOC 2 CC6.1", "NIST AC-6"]
-- attack = ["T1552.007"]
-- false_positives = "Operators and pipelines that are not in the list expected."
-- limits = "A list does not say which secrets it returned. Secrets that a pod mounts are read by its node and are left out. A client that imitates an operator's user agent gets severity low. Refused reads are in secret-access-denied."
-- message = "{principal}[ as {acted_as}] read secrets in [{namespace_count} namespaces|all namespaces][ with {user_agent}] ({requests}×)"
-- columns.key = ["principal", "actor", "client_ip", "user_agent"]
-- columns.detail = ["namespaces", "names", "verbs", "peer_ip", "last_seen"]
-- tables = ["system_principals", "expected"]
-- triage = ["secrets-read actor={actor}", "principal-timeline principal={principal}", "tokens-used-off-pod"]
-- tuning = "Add operators and pipelines to expected, activity secrets, with the namespaces that they work in."
-- covers = ["Elastic: credential_access_kubernetes_secret_read_by_node_or_pod_service_account", "Elastic: credential_access_kubernetes_unusual_service_account_secret_get", "Google: Credential Access: Secrets Accessed In Kubernetes Namespace"]
-- differs = "Elastic reports every workload; here its own namespace, and operators, are low."
-- [[needs]]
-- verbs = ["get", "list", "watch"]
-- resources = ["secrets"]
-- columns = ["response_code"]
SELECT
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE
        WHEN bool_and(helm) THEN 'info'
        WHEN actor_kind = 'node' THEN 'medium'
        WHEN count(*) FILTER (WHERE namespace IS DISTINCT FROM service_account_namespace) = 0 THEN 'low'
        WHEN regexp_like(coalesce(user_agent, ''), '^[^ ]+/[^ ]* \([a-z0-9]+/[a-z0-9]+\)')
            AND NOT starts_with(coalesce(user_agent, ''), 'kubectl') THEN 'low'
        ELSE 'medium'
    END AS severity,
    'succeeded' AS outcome,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    array_agg(DISTINCT verb ORDER BY verb) AS verbs,
    CASE WHEN NOT bool_or(read_kind = 'cluster') THEN count(DISTINCT namespace) END AS namespace_count,
    array_agg(DISTINCT namespace ORDER BY namespace) FILTER (WHERE namespace <> '') AS namespaces,
    array_agg(DISTINCT name ORDER BY name) FILTER (WHERE name <> '') AS names,
    count(*) AS requests,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        secret_reads.*,
        coalesce(query_param(request_uri, 'labelSelector') LIKE '%owner=helm%', false) OR name LIKE 'sh.helm.release.v1.%' AS helm
    FROM secret_reads
    WHERE response_code BETWEEN 200 AND 299
      AND (
          principal LIKE 'system:serviceaccount:%' AND NOT listed('system_principals', principal)
          OR principal LIKE 'system:node:%' AND coalesce(user_agent, '') NOT LIKE 'kubelet/%'
      )
      AND NOT listed('expected', principal, 'secrets', namespace)
) AS reads
GROUP BY principal, actor, actor_kind, client_ip, peer_ip, user_agent
ORDER BY first_seen, principal, actor, client_ip, peer_ip, user_agent
