-- title = "Services created"
-- question = "Who created which services?"
-- description = """
-- Services that were created, by server-side apply too, with their type where the log shows it. An
-- inventory; what exposes a service has detections of its own."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 CC8.1", "NIST CM-3", "PCI-DSS 1.2.5"]
-- attack = ["T1133"]
-- false_positives = "Every release is here: this is an inventory."
-- tuning = "Narrow it with namespace; controllers that are known are in the list expected, with the activity services."
-- limits = "At level Metadata the type is not known."
-- message = "{actor} created[ {type}] service {namespace}/{name} ({outcome})"
-- triage = ["object-history resource=services namespace={namespace} name={name}", "principal-timeline principal={principal}"]
-- covers = ["Falco: K8s Service Created"]
-- differs = "Server-side apply counts, and refused attempts are told apart."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "name", "outcome"]
-- columns.detail = ["type", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "patch"]
-- resources = ["services"]
-- [parameters.namespace]
-- type = "string"
-- doc = "Only services in this namespace."
SELECT
    stage_timestamp,
    graded('info', outcome) AS severity,
    outcome,
    actor,
    principal,
    actor_kind,
    operation,
    resource,
    namespace,
    object_name AS name,
    body_text(object, 'spec.type') AS type,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE resource = 'services'
  AND api_group = ''
  AND subresource = ''
  AND operation = 'create'
  AND ($namespace IS NULL OR namespace = $namespace)
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'services', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
