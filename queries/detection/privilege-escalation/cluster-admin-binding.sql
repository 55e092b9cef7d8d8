-- title = "cluster-admin granted"
-- question = "Who granted cluster-admin, or tried to, and to whom?"
-- description = """
-- Bindings to the cluster role cluster-admin, created or changed; refused attempts, failures and dry
-- runs included (outcome). High across the cluster and in system namespaces; medium for a RoleBinding
-- in another namespace, which gives everything there, and for a refused ClusterRoleBinding whose role
-- the log does not show. The binding that kubeadm init creates for kubeadm:cluster-admins is info."""
-- severity = "high"
-- level = "Request"
-- controls = ["PCI-DSS 7.2.5", "SOC 2 CC6.3", "NIST AC-6", "ISO 27001 A.8.2", "CIS 5.1.1"]
-- attack = ["T1098.006"]
-- tables = ["system_principals", "system_namespaces", "expected"]
-- covers = [
--     "Falco: Attach to cluster-admin Role", "Elastic: Kubernetes Cluster-Admin Role Binding Created",
--     "Panther: Kubernetes Admin Role Binding", "Google: GKE_CREATE_SENSITIVE_BINDING",
--     "Defender: K8S_ClusterAdminBinding", "Stratus: k8s.privilege-escalation.create-admin-clusterrole", "TM9019",
-- ]
-- differs = "Falco looks at the creation of ClusterRoleBindings only: it misses RoleBindings, updates, patches and server-side apply."
-- false_positives = "The set-up of a cluster, and installations of backup tools, GitOps tools and package managers."
-- limits = "At level Metadata the log does not show subjects and role, so no rows does not mean no grants. A patch at level Request shows only what it names, and a JSON patch at that level nothing. A request that was refused before its body was read shows neither. EKS access entries, cloud IAM and group membership are not in this log."
-- tuning = "Add pipelines and controllers that manage RBAC to the list expected, with activity rbac."
-- triage = [
--     "principal-timeline principal={principal}", "rbac-changes actor={actor}",
--     "cluster-admin-usage actor={actor}",
-- ]
-- message = "{actor} granted [{granted_role}|a role that the log does not show] with {object_kind} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "object_kind", "namespace", "name", "granted_role"]
-- columns.detail = ["subjects", "response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["rolebindings.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io"]
-- verbs = ["create", "update", "patch"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded(
        CASE
            WHEN object_name = 'kubeadm:cluster-admins'
                AND array_length(subjects) = 1 AND subjects[1]['name'] = 'kubeadm:cluster-admins' THEN 'info'
            WHEN object_kind = 'ClusterRoleBinding' OR listed('system_namespaces', namespace) THEN 'high'
            ELSE 'medium'
        END,
        outcome
    ) AS severity,
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
  AND (
      role_ref['kind'] = 'ClusterRole' AND role_ref['name'] = 'cluster-admin'
      -- Refused before its body was read.
      OR resource = 'clusterrolebindings' AND outcome = 'refused' AND object IS NULL
  )
  -- A patch of something else, such as labels, grants nothing.
  AND (operation <> 'patch' OR object_source = 'request' OR request_object LIKE '[%' OR subjects(request_object) IS NOT NULL)
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'rbac', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
