-- title = "Token of a service account requested"
-- question = "Who minted tokens of service accounts?"
-- description = """
-- TokenRequests by anybody but kubelets and the control plane: the token acts as the service account, wherever it
-- is used. A service account that mints tokens for its own namespace is low: operators do so. credential is the id
-- by which requests made with the token can be found. A refused attempt, a failed one and a dry run have a row,
-- too, one step less severe: see outcome. Requests of the control plane and of principals in the list expected
-- (activity tokens) are left out."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["SOC 2 CC6.1", "NIST AC-2", "NIST IA-5"]
-- attack = ["T1528", "T1552.007", "T1098"]
-- covers = [
--     "Elastic: Kubernetes Service Account Token Created via TokenRequest API",
--     "Panther: Kubernetes Service Account Token Created", "Stratus: k8s.persistence.create-token",
-- ]
-- differs = "The others report kubelets or leave out every service account."
-- false_positives = "CSI drivers, Vault, External Secrets and dashboards for which people mint a token with kubectl create token."
-- limits = "The token itself is not in the log below level RequestResponse. Apiservers before 1.30 do not log its id."
-- tuning = "Add what is meant to do this to expected with activity tokens."
-- triage = [
--     "token-lineage credential={credential}", "principal-timeline principal={principal}",
--     "rbac-changes actor={actor}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor} minted a token of {token_of} ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "namespace", "name"]
-- columns.detail = ["credential", "peer_ip", "user_agent"]
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
    graded(CASE WHEN service_account_namespace = namespace AND actor = principal THEN 'low' ELSE 'medium' END, outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    concat('system:serviceaccount:', namespace, ':', name) AS token_of,
    annotations['authentication.kubernetes.io/issued-credential-id'] AS credential,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE api_group = ''
  AND resource = 'serviceaccounts'
  AND subresource = 'token'
  AND operation = 'create'
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'tokens', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
