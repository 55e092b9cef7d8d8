-- title = "Status of a pod forged"
-- question = "Who wrote the status of pods, which is the kubelet's?"
-- description = """
-- Writes to pods/status by others than nodes, controllers, and network plugins that are expected to,
-- grouped by actor, namespace and outcome. Who sets the address or readiness of a pod draws the
-- traffic of its services to another address."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["NIST CM-5"]
-- attack = ["T1557"]
-- tables = ["system_principals", "expected"]
-- covers = ["rbac-police: modify_pod_status"]
-- false_positives = "Network plugins and load-balancer controllers that annotate pods or set readiness gates through the status."
-- limits = "At level Metadata the log does not show what was written."
-- tuning = "Add such plugins to the list expected, with activity endpoints."
-- triage = [
--     "object-history resource=pods namespace={namespace} name={name}",
--     "principal-timeline principal={principal}",
-- ]
-- message = "{actor} wrote the status of {pods} pods in {namespace}, among them {name} ({requests}×, {outcome})"
-- columns.key = ["actor", "principal", "namespace", "outcome"]
-- columns.detail = ["pods", "requests", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["pods/status"]
-- verbs = ["update", "patch"]
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded('medium', outcome) AS severity,
    outcome,
    actor,
    principal,
    min(verb) AS verb,
    namespace,
    first_value(object_name ORDER BY stage_timestamp) AS name,
    count(DISTINCT object_name) AS pods,
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
  AND resource = 'pods'
  AND subresource = 'status'
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'endpoints', namespace)
GROUP BY actor, principal, namespace, outcome
ORDER BY first_seen, actor, principal, namespace, outcome
