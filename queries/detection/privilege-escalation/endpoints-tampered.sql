-- title = "Endpoints written by hand"
-- question = "Who wrote Endpoints or EndpointSlices, which controllers do?"
-- description = """
-- Endpoints and EndpointSlices created, changed or deleted by others than controllers and what is
-- expected to; refused attempts, failures and dry runs included (outcome). Who writes them sends the
-- traffic of a service wherever they like. Deletions are low; leader election, which older clients
-- keep in the annotations of Endpoints, is left out where the log shows it."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["NIST CM-5"]
-- attack = ["T1557"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Services without a selector for hosts outside the cluster, and clients that elect a leader with Endpoints."
-- limits = "At level Metadata the log does not show the addresses."
-- tuning = "Add controllers to the list expected, with activity endpoints."
-- triage = [
--     "object-history resource={resource} namespace={namespace} name={name}",
--     "principal-timeline principal={principal}",
-- ]
-- message = "{actor}: {operation} {resource} {namespace}/[{name}|without a name] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "resource", "namespace", "name"]
-- columns.detail = ["addresses", "response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["endpoints", "endpointslices.discovery.k8s.io"]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
SELECT
    stage_timestamp,
    graded(CASE WHEN operation IN ('delete', 'deletecollection') THEN 'low' ELSE 'medium' END, outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    coalesce(body_text(object, 'subsets'), body_text(object, 'endpoints')) AS addresses,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE (api_group = '' AND resource = 'endpoints' OR api_group = 'discovery.k8s.io' AND resource = 'endpointslices')
  AND subresource = ''
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'endpoints', namespace)
  AND (
      (body_text(object, 'metadata.annotations') LIKE '%"control-plane.alpha.kubernetes.io/leader"%') IS NOT TRUE
      OR body_text(object, 'subsets') IS NOT NULL
  )
ORDER BY stage_timestamp, source_file, source_offset, audit_id
