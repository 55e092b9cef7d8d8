-- title = "Workloads created"
-- question = "Who created which workloads?"
-- description = """
-- Pods, deployments, daemon sets, stateful sets, replica sets, jobs, cron jobs and replication
-- controllers that were created, by server-side apply too. What controllers of the control plane make
-- from them is left out. An inventory."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 CC8.1", "NIST CM-3", "PCI-DSS 6.5.1"]
-- attack = ["T1610"]
-- false_positives = "Every release is here: this is an inventory."
-- tuning = "Narrow it with namespace; controllers that are known are in the list expected, with the activity workloads."
-- limits = "A workload that existed before the log begins has no row."
-- message = "{actor} created {resource} {namespace}/[{name}|without a name] ({outcome})"
-- triage = ["object-history resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}", "pod-fate namespace={namespace} name={name}"]
-- covers = ["Falco: K8s Deployment Created", "Threat matrix: New container"]
-- differs = "Every kind of workload in one list, refused attempts told apart."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "resource", "namespace", "name", "outcome"]
-- columns.detail = ["peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "patch"]
-- resources = ["pods", "replicationcontrollers", "deployments.apps", "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch"]
-- [parameters.namespace]
-- type = "string"
-- doc = "Only workloads in this namespace."
SELECT
    stage_timestamp,
    graded('info', outcome) AS severity,
    outcome,
    actor,
    principal,
    actor_kind,
    operation,
    resource,
    namespace,
    object_name AS name,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE (
      resource IN ('pods', 'replicationcontrollers') AND api_group = ''
      OR resource IN ('deployments', 'daemonsets', 'statefulsets', 'replicasets') AND api_group IN ('apps', 'extensions')
      OR resource IN ('jobs', 'cronjobs') AND api_group = 'batch'
  )
  AND subresource = ''
  AND operation = 'create'
  AND ($namespace IS NULL OR namespace = $namespace)
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'workloads', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
