-- title = "Token bound to no object requested"
-- question = "Who asked for tokens that are not bound to a pod, node or secret?"
-- description = """
-- TokenRequests without boundObjectRef: such a token stays valid until it expires, whatever is deleted. A refused
-- attempt, a failed one and a dry run have a row, too, one step less severe: see outcome. Requests of the control
-- plane and of principals in the list expected (activity tokens) are left out."""
-- severity = "low"
-- level = "Request"
-- controls = ["NIST IA-5"]
-- attack = ["T1528"]
-- false_positives = "kubectl create token, and most agents that mint tokens."
-- limits = "Many policies record tokens at level Metadata, where the binding is unknown."
-- tuning = "Add what is meant to do this to expected with activity tokens."
-- triage = ["token-lineage credential={credential}", "principal-timeline principal={principal}"]
-- tables = ["system_principals", "expected"]
-- message = "{actor} asked for an unbound token of {token_of} ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "namespace", "name"]
-- columns.detail = ["expiration_seconds", "credential", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create"]
-- resources = ["serviceaccounts/token"]
-- level = "Request"
-- columns = ["response_code", "request_object"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
SELECT
    stage_timestamp,
    graded('low', outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    concat('system:serviceaccount:', namespace, ':', name) AS token_of,
    annotations['authentication.kubernetes.io/issued-credential-id'] AS credential,
    body_text(object, 'spec.expirationSeconds') AS expiration_seconds,
    body_text(object, 'spec.audiences') AS audiences,
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
  AND body_kind(request_object) = 'TokenRequest'
  AND coalesce(body_text(request_object, 'spec.boundObjectRef'), 'null') = 'null'
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'tokens', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
