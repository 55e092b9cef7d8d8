-- title = "RBAC changed, then a workload started"
-- question = "Who granted rights and started a workload right after?"
-- description = """
-- A principal wrote a role or binding and, within five minutes (within), created or patched a
-- deployment, daemonset, statefulset, job or cronjob. One row per burst of such writes without a
-- longer pause, with how many of each. Medium if a cluster role or cluster role binding was written,
-- otherwise low. What is expected to do both, and the control plane, is left out."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 7.2.5", "SOC 2 CC6.3", "NIST AC-6", "ISO 27001 A.8.2"]
-- attack = ["T1098.006", "T1610"]
-- tables = ["system_principals", "expected"]
-- covers = ["Elastic: Kubernetes RBAC Change Followed by Workload Creation"]
-- false_positives = "Installations of charts and operators: they bring roles and workloads at once."
-- limits = "At level Metadata the log does not show whether the workload uses what was granted. Only writes that succeeded count."
-- tuning = "Add pipelines and controllers that manage RBAC to the list expected, with activity rbac. For workloads: activity workloads. within sets the time between the two."
-- triage = [
--     "principal-timeline principal={principal}", "rbac-changes actor={actor}",
--     "object-history namespace={namespace} name={workload}",
-- ]
-- message = "{principal} wrote {grants} roles or bindings, and then {workload_resource} [{namespace}/]{workload}"
-- columns.key = ["principal", "grant", "workload_resource", "namespace", "workload"]
-- columns.detail = ["grants", "workloads", "first_seen", "last_seen"]
-- [[needs]]
-- resources = [
--     "roles.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io",
--     "rolebindings.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io",
-- ]
-- verbs = ["create", "update", "patch"]
-- [[needs]]
-- resources = ["deployments.apps", "daemonsets.apps", "statefulsets.apps", "jobs.batch", "cronjobs.batch"]
-- verbs = ["create", "update", "patch"]
-- [parameters.within]
-- type = "duration"
-- default = "5m"
-- doc = "Longest time between the grant and the workload."
WITH written AS (
    SELECT
        cluster, principal, actor, stage_timestamp, api_group = 'rbac.authorization.k8s.io' AS is_grant, resource, namespace,
        object_name, client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset
    FROM object_writes
    WHERE write_kind = 'object'
      AND operation IN ('create', 'update', 'patch')
      AND (
          api_group = 'rbac.authorization.k8s.io' AND NOT listed('expected', principal, 'rbac', namespace)
          OR (
              api_group = 'apps' AND resource IN ('deployments', 'daemonsets', 'statefulsets')
              OR api_group = 'batch' AND resource IN ('jobs', 'cronjobs')
          ) AND operation <> 'update' AND NOT listed('expected', principal, 'workloads', namespace)
      )
      AND NOT listed('system_principals', principal)
),
spaced AS (
    SELECT
        written.*,
        max(CASE WHEN is_grant THEN stage_timestamp END) OVER (
            PARTITION BY cluster, principal ORDER BY stage_timestamp, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS last_grant_at,
        lag(stage_timestamp) OVER (
            PARTITION BY cluster, principal ORDER BY stage_timestamp, source_file, source_offset
        ) AS previous_at
    FROM written
),
bursts AS (
    SELECT
        spaced.*,
        NOT is_grant AND CAST(stage_timestamp AS BIGINT) - CAST(last_grant_at AS BIGINT) <= $within * 1000 AS follows,
        count(CASE
            WHEN CAST(stage_timestamp AS BIGINT) - CAST(previous_at AS BIGINT) > $within * 1000 THEN 1
        END) OVER (
            PARTITION BY cluster, principal ORDER BY stage_timestamp, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS burst
    FROM spaced
)
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE WHEN bool_or(is_grant AND namespace = '') THEN 'medium' ELSE 'low' END AS severity,
    'succeeded' AS outcome,
    principal,
    min(actor) AS actor,
    count(*) FILTER (WHERE is_grant) AS grants,
    count(*) FILTER (WHERE NOT is_grant) AS workloads,
    first_value(resource || ' ' || object_name ORDER BY stage_timestamp) FILTER (WHERE is_grant) AS grant,
    first_value(resource ORDER BY stage_timestamp) FILTER (WHERE follows) AS workload_resource,
    first_value(namespace ORDER BY stage_timestamp) FILTER (WHERE follows) AS namespace,
    first_value(object_name ORDER BY stage_timestamp) FILTER (WHERE follows) AS workload,
    min(client_ip) AS client_ip,
    min(peer_ip) AS peer_ip,
    min(user_agent) AS user_agent,
    first_value(audit_id ORDER BY stage_timestamp) AS audit_id,
    first_value(source_file ORDER BY stage_timestamp) AS source_file,
    first_value(source_line ORDER BY stage_timestamp) AS source_line
FROM bursts
GROUP BY cluster, principal, burst
HAVING bool_or(follows)
ORDER BY first_seen, principal
