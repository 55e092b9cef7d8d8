-- title = "Role changed"
-- question = "Who created, changed or deleted roles?"
-- description = """
-- Every Role and ClusterRole that was created, changed or deleted, and attempts (outcome), except by
-- the control plane and by principals that are expected to manage RBAC. Works at level Metadata; what
-- is granted is there from level Request on."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.5", "SOC 2 CC6.2", "SOC 2 CC6.3", "NIST AC-2(4)", "ISO 27001 A.5.18"]
-- attack = ["T1098.006"]
-- tables = ["system_principals", "expected"]
-- covers = [
--     "Falco: K8s Role/Clusterrole Created", "Falco: K8s Role/Clusterrole Deleted", "Sentinel: AKS-Rbac",
-- ]
-- differs = "Sentinel's query matches every allowed create of any kind."
-- false_positives = "Administrators, charts and pipelines that manage RBAC."
-- limits = "At level Metadata only the name is known. EKS access entries, cloud IAM and group membership are not in this log. A deletecollection does not name the objects."
-- tuning = "Add pipelines and controllers that manage RBAC to the list expected, with activity rbac."
-- triage = ["rbac-changes actor={actor} namespace={namespace}", "principal-timeline principal={principal}"]
-- message = "{actor}: {operation} {object_kind} [{namespace}/][{name}|without a name][, granting {granted}] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "object_kind", "namespace", "name"]
-- columns.detail = ["granted", "response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["roles.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io"]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
SELECT
    stage_timestamp,
    graded('low', outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    object_kind,
    namespace,
    object_name AS name,
    CASE WHEN array_length(rules) > 0 THEN 'rules: ' || array_length(rules) END AS granted,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM rbac_requests
WHERE resource IN ('roles', 'clusterroles')
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'rbac', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
