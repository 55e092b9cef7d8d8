-- title = "RBAC changed by a workload"
-- question = "Which service accounts wrote roles or bindings?"
-- description = """
-- Writes to roles and bindings by service accounts, except controllers of the control plane and those
-- that are expected to manage RBAC; refused attempts, failures and dry runs included (outcome). A
-- workload that grants rights is an operator, a pipeline, or an attacker with its token."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 7.2.5", "SOC 2 CC6.3", "NIST AC-6", "ISO 27001 A.8.2"]
-- attack = ["T1098.006"]
-- tables = ["system_principals", "expected"]
-- covers = ["Elastic: Kubernetes RBAC Modification by Service Account"]
-- false_positives = "Operators and pipelines that are not in the list expected."
-- limits = "At level Metadata only the name of the object is known."
-- tuning = "Add pipelines and controllers that manage RBAC to the list expected, with activity rbac."
-- triage = [
--     "principal-timeline principal={principal}", "rbac-changes actor={actor}",
--     "cluster-admin-usage actor={actor}",
-- ]
-- message = "{actor}: {operation} {object_kind} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "object_kind", "namespace", "name"]
-- columns.detail = ["granted_role", "response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = [
--     "roles.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io",
--     "rolebindings.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io",
-- ]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- from = "service-accounts"
SELECT
    stage_timestamp,
    graded('medium', outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    object_kind,
    namespace,
    object_name AS name,
    role_ref['kind'] || ' ' || role_ref['name'] AS granted_role,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM rbac_requests
WHERE principal LIKE 'system:serviceaccount:%'
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'rbac', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
