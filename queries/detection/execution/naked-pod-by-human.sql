-- title = "Pod created by a person"
-- question = "Who created pods directly, without a controller?"
-- description = """
-- Pods that a person created and that no controller owns, as kubectl run and kubectl create do. At
-- level Metadata the owner is not known, and every pod created by a person counts."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 CC8.1", "NIST CM-3"]
-- attack = ["T1610"]
-- false_positives = "kubectl run for a quick test."
-- tuning = "Give people who do this as their job in the list expected, with the activity workloads."
-- limits = "Tools that use a person's credentials look like the person."
-- message = "{actor} created pod {namespace}/[{name}|without a name] ({outcome})"
-- triage = ["principal-timeline principal={principal}", "pod-fate namespace={namespace} name={name}", "pod-exec-sessions namespace={namespace} actor={actor}"]
-- covers = ["Threat matrix: New container"]
-- differs = "Attempts are told from creations."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "name", "outcome"]
-- columns.detail = ["peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "patch"]
-- resources = ["pods"]
-- from = "people"
SELECT
    stage_timestamp,
    graded('low', outcome) AS severity,
    outcome,
    actor,
    principal,
    actor_kind,
    operation,
    resource,
    namespace,
    object_name AS name,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE resource = 'pods'
  AND api_group = ''
  AND subresource = ''
  AND operation = 'create'
  AND actor_kind = 'human'
  AND body_text(object, 'metadata.ownerReferences') IS NULL
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'workloads', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
