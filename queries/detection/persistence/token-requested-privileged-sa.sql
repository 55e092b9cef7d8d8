-- title = "Token of a privileged service account requested"
-- question = "Who minted tokens of powerful service accounts?"
-- description = """
-- TokenRequests for a service account of a system namespace, or for one that is cluster-admin: by a binding in the
-- RBAC objects of the input, or because requests of it in this log were allowed by cluster-admin. reason says
-- which. A service account that mints its own token is low, and one that mints a token of its namespace medium. A
-- refused attempt, a failed one and a dry run have a row, too, one step less severe: see outcome. Requests of the
-- control plane and of principals in the list expected (activity tokens) are left out."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["SOC 2 CC6.1", "NIST AC-6", "NIST IA-5"]
-- attack = ["T1528", "T1078.004"]
-- covers = ["Stratus: k8s.persistence.create-token"]
-- false_positives = "Installation of agents in kube-system by people."
-- limits = "Without RBAC objects in the input, a privileged service account of another namespace is known only if it used cluster-admin in this log. Other powerful roles are not looked at."
-- tuning = "Add what is meant to do this to expected with activity tokens."
-- triage = [
--     "token-lineage credential={credential}", "principal-timeline principal={principal}",
--     "cluster-admin-usage actor={token_of}",
-- ]
-- tables = ["system_principals", "expected", "system_namespaces"]
-- message = "{actor} minted a token of {token_of}: {reason} ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "namespace", "name"]
-- columns.detail = ["reason", "credential", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create"]
-- resources = ["serviceaccounts/token"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
SELECT
    stage_timestamp,
    graded(
        CASE
            WHEN actor = principal AND actor = token_of THEN 'low'
            WHEN actor = principal AND service_account_namespace = namespace THEN 'medium'
            ELSE 'high'
        END,
        outcome
    ) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    token_of,
    credential,
    CASE WHEN bound THEN 'bound to cluster-admin' WHEN used THEN 'uses cluster-admin' ELSE 'system namespace' END AS reason,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        minted.*,
        concat('system:serviceaccount:', minted.namespace, ':', minted.name) AS token_of,
        minted.annotations['authentication.kubernetes.io/issued-credential-id'] AS credential,
        listed('system_namespaces', minted.namespace) AS system_namespace,
        admins.username IS NOT NULL AS used,
        grants.subject_name IS NOT NULL AS bound
    FROM (
        SELECT write_requests.*
        FROM write_requests
        WHERE api_group = ''
          AND resource = 'serviceaccounts'
          AND subresource = 'token'
          AND operation = 'create'
    ) AS minted
    LEFT JOIN (
        -- Also with impersonation: the authorizer decided about the actor.
        SELECT DISTINCT actor AS username
        FROM requests
        WHERE role_kind = 'ClusterRole' AND role_name = 'cluster-admin' AND binding_kind = 'ClusterRoleBinding'
          AND actor LIKE 'system:serviceaccount:%'
    ) AS admins
        ON concat('system:serviceaccount:', minted.namespace, ':', minted.name) = admins.username
    LEFT JOIN (
        SELECT DISTINCT subject_namespace, subject_name
        FROM rbac_grants
        WHERE subject_kind = 'ServiceAccount' AND role_kind = 'ClusterRole' AND role_name = 'cluster-admin'
    ) AS grants
        ON minted.namespace = grants.subject_namespace AND minted.name = grants.subject_name
) AS tokens
WHERE (bound OR used OR system_namespace)
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'tokens', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
