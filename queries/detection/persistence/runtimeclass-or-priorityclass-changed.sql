-- title = "Runtime class or priority class changed"
-- question = "Who changed how pods are isolated, or which ones go first?"
-- description = """
-- Writes of RuntimeClasses and PriorityClasses, deletes included. A refused attempt, a failed one and a dry run
-- have a row, too, one step less severe: see outcome. Requests of the control plane and of principals in the list
-- expected (activity workloads) are left out."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["NIST CM-3"]
-- attack = ["T1562"]
-- differs = "No other rule set has it."
-- false_positives = "Installation of sandboxed runtimes, and tuning of priorities."
-- limits = "At level Metadata the log does not show what changed."
-- tuning = "Add what is meant to do this to expected with activity workloads."
-- triage = ["object-history resource={resource} name={name}", "principal-timeline principal={principal}"]
-- tables = ["system_principals", "expected"]
-- message = "{actor}: {operation} {resource} [{name}|without a name][ ({handler_or_value})] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "resource", "name"]
-- columns.detail = ["handler_or_value", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["runtimeclasses.node.k8s.io", "priorityclasses.scheduling.k8s.io"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
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
    coalesce(body_text(object, 'handler'), body_text(object, 'value')) AS handler_or_value,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE subresource = ''
  AND (resource = 'runtimeclasses' AND api_group = 'node.k8s.io' OR resource = 'priorityclasses' AND api_group = 'scheduling.k8s.io')
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'workloads', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
