-- title = "Node object changed"
-- question = "Who changed nodes, their labels, taints or status?"
-- description = """
-- Writes to nodes and nodes/status by others than nodes, controllers and what is expected to manage
-- nodes, grouped by actor, node and outcome. Labels and taints decide which pods run where, and the
-- status what the scheduler believes. Medium if the status was written, which is the kubelet's;
-- otherwise low. Cordoning is left out where the log shows the request: see node-drains."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["NIST CM-5"]
-- attack = ["T1578"]
-- tables = ["system_principals", "expected"]
-- covers = ["rbac-police: modify_node_status"]
-- false_positives = "kubectl label and taint; at level Metadata also cordon and drain."
-- limits = "At level Metadata the log does not show what was changed. Writes with the credentials of a node are left out, except that the apiserver lets a node change only itself."
-- tuning = "Add controllers to the list expected, with activity nodes."
-- triage = [
--     "object-history resource=nodes name={node}", "node-drains", "principal-timeline principal={principal}",
-- ]
-- message = "{actor}: {operation} node {node}[ ({changed})] ({requests}×, {outcome})"
-- columns.key = ["actor", "principal", "operation", "node", "status_written", "outcome"]
-- columns.detail = ["changed", "requests", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["nodes", "nodes/status"]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded(CASE WHEN subresource = 'status' THEN 'medium' ELSE 'low' END, outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    object_name AS node,
    subresource = 'status' AS status_written,
    nullif(concat_ws(
        ', ',
        CASE WHEN bool_or(body_text(request_object, 'metadata.labels') IS NOT NULL) THEN 'labels' END,
        CASE WHEN bool_or(body_text(request_object, 'spec.taints') IS NOT NULL) THEN 'taints' END
    ), '') AS changed,
    count(*) AS requests,
    min(response_code) AS response_code,
    min(client_ip) AS client_ip,
    min(peer_ip) AS peer_ip,
    min(user_agent) AS user_agent,
    first_value(audit_id ORDER BY stage_timestamp) AS audit_id,
    first_value(source_file ORDER BY stage_timestamp) AS source_file,
    first_value(source_line ORDER BY stage_timestamp) AS source_line
FROM write_requests
WHERE api_group = ''
  AND resource = 'nodes'
  AND subresource IN ('', 'status')
  -- Cordon and uncordon name this field alone.
  AND NOT (
      operation = 'patch' AND coalesce(body_text(request_object, 'spec') LIKE '%"unschedulable"%', false)
      AND body_text(request_object, 'spec.taints') IS NULL AND body_text(request_object, 'metadata') IS NULL
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'nodes', namespace)
GROUP BY actor, principal, operation, object_name, subresource, outcome
ORDER BY first_seen, actor, principal, node, operation, status_written, outcome
