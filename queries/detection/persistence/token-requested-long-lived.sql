-- title = "Long-lived token requested"
-- question = "Who asked for tokens of service accounts that live long?"
-- description = """
-- TokenRequests with an expirationSeconds of more than min_lifetime, 24 hours by default. hours is what was asked
-- for; the apiserver may have cut it. A refused attempt, a failed one and a dry run have a row, too, one step less
-- severe: see outcome. Requests of the control plane and of principals in the list expected (activity tokens) are
-- left out."""
-- severity = "medium"
-- level = "Request"
-- controls = ["SOC 2 CC6.1", "NIST IA-5"]
-- attack = ["T1528", "T1098"]
-- covers = ["Stratus: k8s.persistence.create-token"]
-- false_positives = "Integrations outside the cluster that were given a token for a year."
-- limits = "Many policies record tokens at level Metadata, where the lifetime is unknown."
-- tuning = "Raise min_lifetime; add what mints tokens to expected with activity tokens."
-- triage = ["token-lineage credential={credential}", "principal-timeline principal={principal}"]
-- tables = ["system_principals", "expected"]
-- message = "{actor} asked for a token of {token_of} for {hours} hours ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "namespace", "name"]
-- columns.detail = ["hours", "credential", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create"]
-- resources = ["serviceaccounts/token"]
-- level = "Request"
-- columns = ["response_code", "request_object"]
-- [parameters.min_lifetime]
-- type = "duration"
-- default = "24h"
-- doc = "Only tokens that live longer."
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
SELECT
    stage_timestamp,
    graded('medium', outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    concat('system:serviceaccount:', namespace, ':', name) AS token_of,
    annotations['authentication.kubernetes.io/issued-credential-id'] AS credential,
    CAST(TRY_CAST(body_text(request_object, 'spec.expirationSeconds') AS DOUBLE) / 3600 AS BIGINT) AS hours,
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
  AND TRY_CAST(body_text(request_object, 'spec.expirationSeconds') AS DOUBLE) > $min_lifetime / 1000
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'tokens', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
