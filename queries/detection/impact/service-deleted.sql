-- title = "Service deleted"
-- question = "Who deleted services?"
-- description = """
-- Services that were deleted, one by one or as a collection. Requests of the control plane and of principals in
-- the list expected (activity services, deletes) are left out."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["NIST CM-3"]
-- attack = ["T1489"]
-- covers = ["Falco: K8s Service Deleted"]
-- false_positives = "Every removal of an application."
-- limits = "A deletecollection does not say what it deleted at level Metadata."
-- tuning = "Add what is meant to do this to expected with activity services or deletes."
-- triage = [
--     "object-history resource={resource} namespace={namespace} name={name}",
--     "who-deleted resource={resource} namespace={namespace}", "principal-timeline principal={principal}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor}: {operation} of service {namespace}/[{name}|without a name]"
-- columns.key = ["actor", "principal", "outcome", "operation", "resource", "namespace", "name"]
-- columns.detail = ["peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["delete", "deletecollection"]
-- resources = ["services"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
SELECT
    stage_timestamp,
    'info' AS severity,
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
  AND resource = 'services'
  AND subresource = ''
  AND operation IN ('delete', 'deletecollection')
  AND outcome = 'succeeded'
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'services', namespace)
  AND NOT listed('expected', principal, 'deletes', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
