-- title = "Pod with a stronger service account"
-- question = "Who ran a pod as a service account that may do more than they may?"
-- description = """
-- Pods and templates whose service account holds a powerful cluster-wide role, as the log shows: by a
-- binding written in it, or because the apiserver named the role as the reason for a request of the
-- account; while the one who ran the pod was not allowed to by the same role, and is not in
-- system:masters. Whoever can create pods in the namespace of such an account has its rights. Refused
-- attempts, failures and dry runs are included (outcome)."""
-- severity = "high"
-- level = "Request"
-- controls = ["CIS 5.1.6", "SOC 2 CC6.3", "NIST AC-6"]
-- attack = ["T1078", "T1610"]
-- tables = ["system_principals", "expected"]
-- covers = ["rbac-police: assign_sa"]
-- false_positives = "Pipelines that deploy operators: they need not have the rights of what they deploy. Add them to the list expected, with activity rbac."
-- limits = "The account default, which every pod has that names no other, is left out: see binding-to-default-serviceaccount. Roles that the log shows neither by a binding nor by a use are unknown, so no rows does not mean no such pods. At level Metadata the log does not show the pod spec, so no rows does not mean no such pods. The same applies to truncated events, JSON patches at level Request, and requests refused before their body was read. Static pods, and pods created before the log begins, are not included. A patch that the apiserver failed to log leaves only what controllers make of it, which is left out."
-- tuning = "Add pipelines to the list expected, with activity rbac. roles holds the cluster roles that count as powerful."
-- triage = [
--     "pod-fate namespace={namespace} name={name}", "pod-exec-sessions namespace={namespace}",
--     "principal-timeline principal={principal}",
-- ]
-- message = "{actor} ran {resource} [{namespace}/][{name}|without a name] as {service_account}, which has {role} ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "resource", "namespace", "name", "service_account", "role"]
-- columns.detail = ["known_from", "response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates",
--     "deployments.apps", "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch",
--     "cronjobs.batch",
-- ]
-- verbs = ["create", "update", "patch"]
-- level = "Request"
-- columns = ["request_object"]
-- [[needs]]
-- resources = ["clusterrolebindings.rbac.authorization.k8s.io"]
-- verbs = ["create", "update", "patch"]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.roles]
-- type = "strings"
-- default = ["cluster-admin", "admin", "edit", "system:controller:clusterrole-aggregation-controller"]
-- doc = "Cluster roles that count as powerful, if bound across the cluster."
WITH powers AS (
    SELECT service_account, role, min(known_from) AS known_from, min(bound_at) AS bound_at, bool_or(known_from = 'use') AS used
    FROM (
        SELECT username AS service_account, role_name AS role, 'use' AS known_from, CAST(NULL AS TIMESTAMP) AS bound_at
        FROM requests
        WHERE username LIKE 'system:serviceaccount:%'
          AND impersonated_username IS NULL
          AND authz_decision = 'allow'
          AND binding_kind = 'ClusterRoleBinding'
          AND role_name = ANY($roles)
        UNION ALL
        SELECT
            concat('system:serviceaccount:', subject['namespace'], ':', subject['name']) AS service_account,
            role,
            'binding' AS known_from,
            stage_timestamp AS bound_at
        FROM (
            SELECT stage_timestamp, role_ref['name'] AS role, unnest(subjects) AS subject
            FROM rbac_changes
            WHERE resource = 'clusterrolebindings'
              AND role_ref['kind'] = 'ClusterRole'
              AND role_ref['name'] = ANY($roles)
        ) AS bound
        WHERE subject['kind'] = 'ServiceAccount'
    ) AS known
    GROUP BY service_account, role
),
assigned AS (
    SELECT
        stage_timestamp, actor, actor_groups, principal, verb, resource, namespace, object_name, role_name, response_code, dry_run,
        client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
        concat(
            'system:serviceaccount:', namespace, ':',
            coalesce(nullif(body_text(pod_spec, 'serviceAccountName'), ''), body_text(pod_spec, 'serviceAccount'))
        ) AS service_account
    FROM pod_specs
    WHERE subresource = ''
      AND pod_spec IS NOT NULL
      -- A patch of something else, such as labels or replicas, leaves the pod as it was.
      AND (
          verb <> 'patch' OR spec_source = 'request' OR request_object IS NULL OR request_object LIKE '[%'
          OR pod_spec(resource, request_object) IS NOT NULL
      )
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'rbac', namespace)
)
SELECT
    stage_timestamp,
    graded('high', outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    verb,
    resource,
    namespace,
    object_name AS name,
    powers.service_account AS service_account,
    role,
    known_from,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM assigned
JOIN powers ON assigned.service_account = powers.service_account
WHERE actor <> assigned.service_account
  AND (used OR bound_at <= stage_timestamp)
  -- Every pod that names no other account has this one: see binding-to-default-serviceaccount.
  AND assigned.service_account NOT LIKE '%:default'
  AND array_has(actor_groups, 'system:masters') IS NOT TRUE
  AND array_has(actor_groups, 'kubeadm:cluster-admins') IS NOT TRUE
  -- The actor has the role as well.
  AND (role_name = role) IS NOT TRUE
  AND (role_name = 'cluster-admin') IS NOT TRUE
ORDER BY stage_timestamp, source_file, source_offset, service_account, role, audit_id
