-- title = "Service account created in a system namespace"
-- question = "Who created service accounts in namespaces of the cluster itself?"
-- description = """
-- Service accounts created in a namespace of the list system_namespaces, where they hide among those of the
-- cluster. A refused attempt, a failed one and a dry run have a row, too, one step less severe: see outcome.
-- Requests of the control plane and of principals in the list expected (activity rbac) are left out."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["SOC 2 CC6.2", "NIST AC-2(4)"]
-- attack = ["T1136", "T1036"]
-- covers = [
--     "Falco: Service Account Created in Kube Namespace",
--     "Google SCC: service account created in sensitive namespace",
-- ]
-- false_positives = "Installation and upgrade of add-ons by people."
-- limits = "What the service account may do is in its bindings: see rbac-changes."
-- tuning = "Add what is meant to do this to expected with activity rbac."
-- triage = [
--     "rbac-changes namespace={namespace}",
--     "object-history resource={resource} namespace={namespace} name={name}",
--     "principal-timeline principal={principal}",
-- ]
-- tables = ["system_principals", "expected", "system_namespaces"]
-- message = "{actor} created service account {namespace}/[{name}|without a name] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "resource", "namespace", "name"]
-- columns.detail = ["peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["serviceaccounts"]
-- columns = ["response_code"]
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
  AND subresource = ''
  AND operation = 'create'
  AND listed('system_namespaces', namespace)
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'rbac', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
