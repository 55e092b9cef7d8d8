-- title = "RBAC changes"
-- question = "Who changed which role or binding, and what does it grant?"
-- description = """
-- Successful writes to roles and bindings. If the audit level shows it: what a binding grants to
-- whom, and what a role allows. Dry runs and refused attempts are left out; for the latter, see
-- denied-requests."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.5", "SOC 2 CC6.2", "SOC 2 CC6.3", "NIST AC-2(4)", "ISO 27001 A.5.18"]
-- attack = ["T1098.006"]
-- false_positives = "GitOps controllers and operators that own their roles, the apiserver's reconciliation of the default roles at startup, and namespace deletion (deletecollection, even if there was nothing to delete)."
-- limits = "At level Metadata only the name of the object is known: granted_role, subjects and rules are NULL. At level Request a patch shows only the part it changes, and a JSON patch shows nothing. For what a deleted object granted, look at earlier events. EKS access entries, cloud IAM and group membership are not in this log."
-- message = "{actor}: {operation} {object_kind} [{namespace}/][{object_name}|without a name][, grants {granted_role}]"
-- columns.key = ["actor", "username", "operation", "object_kind", "namespace", "object_name", "granted_role"]
-- columns.detail = ["subjects", "rules", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = [
--     "roles.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io",
--     "rolebindings.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io",
-- ]
-- [parameters.actor]
-- type = "string"
-- doc = "Only changes by this actor."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only changes in this namespace."
SELECT
    stage_timestamp,
    actor,
    actor_kind,
    username,
    operation,
    object_kind,
    namespace,
    object_name,
    CASE WHEN role_ref IS NOT NULL THEN role_ref['kind'] || ' ' || role_ref['name'] END AS granted_role,
    subjects,
    rules,
    level,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM rbac_changes
WHERE ($actor IS NULL OR actor = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
