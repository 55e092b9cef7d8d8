-- title = "Secrets of a system namespace listed"
-- question = "Who listed or watched the secrets of kube-system and other sensitive namespaces?"
-- description = """
-- Lists and watches of all secrets of a namespace in the list system_namespaces, or in the parameter
-- namespaces. System namespaces hold the tokens and keys of the cluster itself. One row per client,
-- namespace and outcome. High if it succeeded; low if it was refused, in the namespaces of the
-- parameter, for Helm's releases only, and for service accounts that keep a cache. The control plane
-- and the operators in the list expected are left out."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["CIS 5.1.2", "PCI-DSS 7.2.6", "SOC 2 CC6.1", "NIST AC-6"]
-- attack = ["T1552.007"]
-- false_positives = "Administrators who look after add-ons; operators that work in kube-system and are not in the list expected."
-- limits = "A list does not say which secrets it returned, and the log does not show whether the client asked for metadata only. GKE does not record the selector of a list, so Helm cannot be told apart there. Lists across all namespaces are in secrets-list-all-namespaces."
-- message = "{principal}[ as {acted_as}] listed the secrets of {namespace}[ with {user_agent}] ({outcome}, {requests}×)"
-- columns.key = ["principal", "actor", "namespace", "outcome", "client_ip", "user_agent"]
-- columns.detail = ["verbs", "reason", "peer_ip", "first_seen"]
-- tables = ["system_principals", "system_namespaces", "expected"]
-- triage = ["principal-timeline principal={principal}", "secrets-read namespace={namespace}", "sessions principal={principal}"]
-- tuning = "Add sensitive namespaces of your own to system_namespaces (high) or to the parameter namespaces (low), and operators to expected, activity secrets."
-- covers = ["Elastic: credential_access_kubernetes_secrets_list_cluster_and_sensitive_namespaces", "Sigma: Kubernetes Secrets Enumeration"]
-- differs = "Elastic names kube-system and default; default is low here, because people work in it."
-- [[needs]]
-- verbs = ["list", "watch"]
-- resources = ["secrets"]
-- columns = ["response_code"]
-- [parameters.namespaces]
-- type = "strings"
-- default = ["default"]
-- doc = "Further namespaces to report, with severity low."
SELECT
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE WHEN reason = 'system namespace' THEN graded('high', outcome) ELSE 'low' END AS severity,
    outcome,
    reason,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    array_agg(DISTINCT verb ORDER BY verb) AS verbs,
    namespace,
    count(*) AS requests,
    max(response_code) AS response_code,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        secret_reads.*,
        outcome(response_code, dry_run) AS outcome,
        CASE
            WHEN response_code IN (401, 403) THEN 'refused'
            WHEN NOT listed('system_namespaces', namespace) THEN 'listed namespace'
            WHEN query_param(request_uri, 'labelSelector') LIKE '%owner=helm%' THEN 'Helm releases'
            WHEN actor_kind = 'serviceaccount' AND impersonated_username IS NULL
                AND (verb = 'watch' OR query_param(request_uri, 'resourceVersion') IS NOT NULL)
                AND regexp_like(coalesce(user_agent, 'curl'), '(?i)^(kubectl|curl|wget|python|go-http-client)') IS NOT TRUE
                THEN 'cache of an operator'
            ELSE 'system namespace'
        END AS reason
    FROM secret_reads
    WHERE read_kind = 'namespace'
      AND username IS NOT NULL
      AND (listed('system_namespaces', namespace) OR namespace = ANY($namespaces))
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'secrets', namespace)
) AS lists
GROUP BY outcome, reason, principal, actor, actor_kind, namespace, client_ip, peer_ip, user_agent
ORDER BY first_seen, principal, actor, namespace, outcome, reason, client_ip, peer_ip, user_agent
