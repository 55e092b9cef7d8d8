-- title = "Rights granted to everyone who can log in"
-- question = "Which roles were given to all authenticated users?"
-- description = """
-- Bindings whose subjects are the group system:authenticated (on OpenShift also
-- system:authenticated:oauth), one row per subject; refused attempts, failures and dry runs included
-- (outcome). On managed clusters, and wherever tokens are easy to get, this is nearly everyone. A
-- RoleBinding is one step less severe. Left out are the roles that everyone has by default, such as
-- system:basic-user."""
-- severity = "high"
-- level = "Request"
-- controls = ["PCI-DSS 7.2.5", "SOC 2 CC6.3", "NIST AC-6", "ISO 27001 A.8.2"]
-- attack = ["T1098.006"]
-- tables = ["system_principals", "expected"]
-- covers = ["Google: GKE_ANONYMOUS_USERS_GRANTED_ACCESS"]
-- false_positives = "Installations of operators and add-ons, and the set-up of a cluster."
-- limits = "At level Metadata the log does not show subjects and role, so no rows does not mean no grants. A patch at level Request shows only what it names, and a JSON patch at that level nothing. A request that was refused before its body was read shows neither. EKS access entries, cloud IAM and group membership are not in this log."
-- tuning = "Add pipelines and controllers that manage RBAC to the list expected, with activity rbac."
-- triage = [
--     "principal-timeline principal={principal}", "rbac-changes actor={actor}",
--     "cluster-admin-usage actor={actor}",
-- ]
-- message = "{actor} granted [{granted_role}|a role] to {subject} with {object_kind} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = [
--     "actor", "principal", "outcome", "operation", "object_kind", "namespace", "name", "granted_role", "subject",
-- ]
-- columns.detail = ["response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["rolebindings.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io"]
-- verbs = ["create", "update", "patch"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded(CASE object_kind WHEN 'ClusterRoleBinding' THEN 'high' ELSE 'medium' END, outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    object_kind,
    namespace,
    object_name AS name,
    role_ref['kind'] || ' ' || role_ref['name'] AS granted_role,
    subject['kind'] || ' ' || coalesce(nullif(subject['namespace'], '') || '/', '') || subject['name'] AS subject,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        stage_timestamp, outcome, actor, principal, operation, resource, object_kind, namespace, object_name, role_ref,
        response_code, client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
        unnest(subjects) AS subject
    FROM rbac_requests
    WHERE resource IN ('rolebindings', 'clusterrolebindings')
      -- A patch of something else, such as labels, grants nothing.
      AND (operation <> 'patch' OR object_source = 'request' OR request_object LIKE '[%' OR subjects(request_object) IS NOT NULL)
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'rbac', namespace)
) AS granted
WHERE subject['kind'] = 'Group'
  AND subject['name'] IN ('system:authenticated', 'system:authenticated:oauth')
  AND coalesce(role_ref['name'], '') NOT IN (
      'system:basic-user', 'system:discovery', 'system:public-info-viewer',
      -- OpenShift.
      'basic-user', 'self-access-reviewer', 'self-provisioner', 'cluster-status', 'system:webhook', 'system:scope-impersonation',
      'system:oauth-token-deleter'
  )
ORDER BY stage_timestamp, source_file, source_offset, audit_id, subject
