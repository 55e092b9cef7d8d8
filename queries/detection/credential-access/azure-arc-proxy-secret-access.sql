-- title = "Secrets or config maps reached through Azure Arc"
-- question = "Did the identity of Azure Arc's proxy touch secrets or config maps outside its own namespaces?"
-- description = """
-- Requests for secrets and config maps outside Azure Arc's own namespaces by a service account of
-- azure-arc, one row per client, operation, namespace and outcome. Whoever may use the Azure resource
-- reaches the cluster through this proxy, from anywhere. Low if it was refused."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["SOC 2 CC6.6", "NIST AC-17"]
-- attack = ["T1552.007", "T1078.004"]
-- false_positives = "Extensions of Azure Arc that manage other namespaces; GitOps with Azure Arc (Flux runs in flux-system)."
-- limits = "Who is behind the proxy is in Azure's activity log, unless the proxy impersonates its user: then principal is the proxy and actor the user."
-- message = "{principal}[ as {acted_as}]: {verb} {resource} in [{namespace}|all namespaces] ({outcome}, {requests}×)"
-- columns.key = ["principal", "actor", "verb", "resource", "namespace", "outcome", "client_ip", "user_agent"]
-- columns.detail = ["names", "peer_ip", "last_seen"]
-- tables = ["expected"]
-- triage = ["principal-timeline principal={principal}", "namespace-access namespace={namespace}"]
-- tuning = "Add extensions to expected, activity secrets or configmaps, with their namespaces."
-- covers = ["Elastic: credential_access_azure_arc_proxy_secret_configmap_access"]
-- differs = "The namespaces of Arc and its extensions are left out by name; refused attempts are told apart."
-- [[needs]]
-- verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
-- resources = ["secrets", "configmaps"]
-- from = "service-accounts"
-- columns = ["response_code"]
SELECT
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded('medium', outcome) AS severity,
    outcome,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    verb,
    resource,
    namespace,
    array_agg(DISTINCT name ORDER BY name) FILTER (WHERE name <> '') AS names,
    count(*) AS requests,
    max(response_code) AS response_code,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT requests.*, outcome(response_code, dry_run) AS outcome
    FROM requests
    WHERE username LIKE 'system:serviceaccount:azure-arc:%'
      AND api_group = ''
      AND resource IN ('secrets', 'configmaps')
      AND subresource = ''
      AND namespace NOT LIKE 'azure-arc%'
      AND NOT (namespace = 'kube-system' AND resource = 'configmaps')
      AND NOT listed('expected', principal, resource, namespace)
) AS reached
GROUP BY outcome, principal, actor, actor_kind, verb, resource, namespace, client_ip, peer_ip, user_agent
ORDER BY first_seen, principal, actor, verb, resource, namespace, outcome, client_ip, peer_ip, user_agent
