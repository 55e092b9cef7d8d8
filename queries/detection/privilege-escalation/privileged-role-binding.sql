-- title = "Powerful built-in role granted"
-- question = "Who granted a powerful built-in role other than cluster-admin, and to whom?"
-- description = """
-- ClusterRoleBindings to admin and edit, and bindings to the roles of the control plane, its
-- controllers and nodes: the aggregation controller can escalate to everything, node and scheduler
-- roles reach all pods. Refused attempts, failures and dry runs are included (outcome). admin and edit
-- by RoleBinding are everyday, and not in here."""
-- severity = "high"
-- level = "Request"
-- controls = ["PCI-DSS 7.2.5", "SOC 2 CC6.3", "NIST AC-6", "ISO 27001 A.8.2"]
-- attack = ["T1098.006"]
-- tables = ["system_principals", "expected"]
-- covers = [
--     "Panther: Kubernetes Privileged Role Binding", "Google: GKE_CRB_CLUSTERROLE_AGGREGATION_CONTROLLER",
-- ]
-- false_positives = "Administrators of the whole cluster who are given admin or edit on purpose, and add-ons that run components of the control plane."
-- limits = "At level Metadata the log does not show subjects and role, so no rows does not mean no grants. A patch at level Request shows only what it names, and a JSON patch at that level nothing. A request that was refused before its body was read shows neither. EKS access entries, cloud IAM and group membership are not in this log. What the roles of your own allow is not looked at: see role-wildcard, role-escalation-verbs and the other role-… queries."
-- tuning = "Add pipelines and controllers that manage RBAC to the list expected, with activity rbac. The parameter roles holds the names."
-- triage = [
--     "principal-timeline principal={principal}", "rbac-changes actor={actor}",
--     "cluster-admin-usage actor={actor}",
-- ]
-- message = "{actor} granted [{granted_role}|a role] with {object_kind} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "object_kind", "namespace", "name", "granted_role"]
-- columns.detail = ["subjects", "response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["rolebindings.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io"]
-- verbs = ["create", "update", "patch"]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.roles]
-- type = "strings"
-- default = [
--     "system:masters", "system:aggregate-to-admin", "system:aggregate-to-edit", "system:kube-controller-manager",
--     "system:kube-scheduler", "system:node", "system:node-admin", "system:kubelet-api-admin",
-- ]
-- doc = "Cluster roles that only the control plane should have, besides system:controller:…."
SELECT
    stage_timestamp,
    graded('high', outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    object_kind,
    namespace,
    object_name AS name,
    role_ref['kind'] || ' ' || role_ref['name'] AS granted_role,
    subjects,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM rbac_requests
WHERE resource IN ('rolebindings', 'clusterrolebindings')
  AND role_ref['kind'] = 'ClusterRole'
  AND (
      object_kind = 'ClusterRoleBinding' AND role_ref['name'] IN ('admin', 'edit')
      OR role_ref['name'] LIKE 'system:controller:%'
      OR role_ref['name'] = ANY($roles)
  )
  -- A patch of something else, such as labels, grants nothing.
  AND (operation <> 'patch' OR object_source = 'request' OR request_object LIKE '[%' OR subjects(request_object) IS NOT NULL)
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'rbac', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
