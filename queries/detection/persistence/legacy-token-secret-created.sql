-- title = "Secret with a service account token created"
-- question = "Who created secrets that get a token without an end?"
-- description = """
-- Secrets of type kubernetes.io/service-account-token that were created, or that somebody tried to create. The
-- token does not expire, and is bound to nothing but the secret. The type is in the body; where the log does not
-- have that, a write of the secret by the controller-manager's tokens-controller in the minute after shows it:
-- known_by says which. A refused attempt has a row if its body was recorded. Requests of the control plane and of
-- principals in the list expected (activity secrets) are left out."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["CIS 5.1.6", "SOC 2 CC6.1", "NIST IA-5"]
-- attack = ["T1098", "T1528"]
-- differs = "No other rule set has it; posture tools look for the right to create secrets."
-- false_positives = "Charts of Rancher, Kiali, and older CI integrations, which need a token outside the cluster."
-- limits = "At level Metadata a refused attempt looks like that of any other secret. If neither the body nor the controller's write is recorded, it is not seen."
-- tuning = "Add what creates such secrets to expected with activity secrets."
-- triage = [
--     "secrets-read namespace={namespace}", "rbac-changes namespace={namespace}",
--     "principal-timeline principal={principal}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor} created secret {namespace}/[{name}|without a name] with a token[ of service account {service_account}] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "namespace", "name"]
-- columns.detail = ["service_account", "known_by", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["secrets"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
SELECT
    stage_timestamp,
    graded('high', outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    service_account,
    known_by,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        created.*,
        regexp_match(
            body_text(created.object, 'metadata.annotations'), '"kubernetes[.]io/service-account[.]name":"([^"]*)"'
        )[1] AS service_account,
        CASE WHEN body_text(created.object, 'type') IS NOT NULL THEN 'type' ELSE 'tokens-controller' END AS known_by
    FROM (
        SELECT write_requests.*
        FROM write_requests
        WHERE api_group = '' AND resource = 'secrets' AND subresource = '' AND operation = 'create'
    ) AS created
    LEFT JOIN (
        SELECT cluster AS token_cluster, namespace AS token_namespace, name AS token_secret, stage_timestamp AS token_at
        FROM write_requests
        WHERE api_group = '' AND resource = 'secrets' AND subresource = '' AND operation = 'update' AND outcome = 'succeeded'
          AND username = 'system:kube-controller-manager' AND user_agent LIKE '%/tokens-controller'
    ) AS tokens
        ON created.namespace = tokens.token_namespace
        AND created.object_name = tokens.token_secret
        AND (created.cluster IS NOT DISTINCT FROM tokens.token_cluster)
        AND tokens.token_at BETWEEN created.stage_timestamp AND created.stage_timestamp + INTERVAL '1 minute'
    WHERE body_text(created.object, 'type') = 'kubernetes.io/service-account-token'
       OR body_text(created.object, 'type') IS NULL AND created.outcome = 'succeeded' AND tokens.token_secret IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY created.cluster, created.audit_id, created.source_file, created.source_offset ORDER BY tokens.token_at
    ) = 1
) AS secrets
WHERE NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'secrets', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
