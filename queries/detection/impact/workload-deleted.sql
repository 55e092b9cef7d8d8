-- title = "Workload deleted"
-- question = "Who deleted Deployments, DaemonSets, StatefulSets or CronJobs?"
-- description = """
-- Deletes of workloads, one by one or as a collection. In a namespace of the list system_namespaces it is medium.
-- A refused attempt, a failed one and a dry run have a row, too, one step less severe: see outcome. Requests of
-- the control plane and of principals in the list expected (activity workloads, deletes) are left out."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 CC7.2", "NIST CM-3"]
-- attack = ["T1489"]
-- covers = [
--     "Sigma: Deployment Deleted From Kubernetes Cluster", "Falco: K8s Deployment Deleted",
--     "Falco: K8s Daemonset Deleted",
-- ]
-- differs = "Sigma and Falco look at verb delete only, which misses deletecollection."
-- false_positives = "Removal of applications by people."
-- limits = "A deletecollection does not say what it deleted at level Metadata."
-- tuning = "Add what is meant to do this to expected with activity workloads or deletes."
-- triage = [
--     "object-history resource={resource} namespace={namespace} name={name}",
--     "who-deleted resource={resource} namespace={namespace}", "principal-timeline principal={principal}",
-- ]
-- tables = ["system_principals", "expected", "system_namespaces"]
-- message = "{actor}: {operation} of {resource} {namespace}/[{name}|without a name] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "resource", "namespace", "name"]
-- columns.detail = ["peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["delete", "deletecollection"]
-- resources = [
--     "deployments.apps", "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "replicationcontrollers",
--     "cronjobs.batch",
-- ]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
SELECT
    stage_timestamp,
    graded(CASE WHEN listed('system_namespaces', namespace) THEN 'medium' ELSE 'low' END, outcome) AS severity,
    outcome,
    actor,
    principal,
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
WHERE subresource = ''
  AND operation IN ('delete', 'deletecollection')
  AND (
      (resource IN ('deployments', 'daemonsets', 'statefulsets', 'replicasets') AND api_group = 'apps')
      OR (resource = 'cronjobs' AND api_group = 'batch')
      OR (resource = 'replicationcontrollers' AND api_group = '')
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'workloads', namespace)
  AND NOT listed('expected', principal, 'deletes', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
