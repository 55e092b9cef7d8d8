-- title = "Workload created in the default namespace"
-- question = "Who runs workloads in namespace default?"
-- description = """
-- Pods and workloads created in namespace default: an inventory for CIS 5.7.4. Requests of the control plane and
-- of principals in the list expected (activity workloads) are left out."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["CIS 5.7.4", "NIST CM-6"]
-- attack = ["T1610"]
-- covers = [
--     "Panther: Kubernetes Pod Created in Default Namespace",
--     "Splunk: Kubernetes Pod Created in Default Namespace",
-- ]
-- differs = "Panther's rule asks for subresource attach and a kind that pods do not have, and never matches."
-- false_positives = "Experiments."
-- limits = "Pods that controllers make of a workload are left out: the workload has a row."
-- tuning = "Add what is meant to do this to expected with activity workloads."
-- triage = [
--     "object-history resource={resource} namespace={namespace} name={name}",
--     "principal-timeline principal={principal}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor} created {resource} default/[{name}|without a name][ with image {image}]"
-- columns.key = ["actor", "principal", "outcome", "operation", "resource", "namespace", "name"]
-- columns.detail = ["peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "pods", "replicationcontrollers", "deployments.apps", "daemonsets.apps", "statefulsets.apps",
--     "replicasets.apps", "jobs.batch", "cronjobs.batch",
-- ]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    stage_timestamp,
    'info' AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    containers(pod_spec(resource, object))[1]['image'] AS image,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE subresource = ''
  AND operation = 'create'
  AND (
      (resource IN ('pods', 'replicationcontrollers') AND api_group = '')
      OR (resource IN ('deployments', 'daemonsets', 'statefulsets', 'replicasets') AND api_group = 'apps')
      OR (resource IN ('jobs', 'cronjobs') AND api_group = 'batch')
  )
  AND namespace = 'default'
  AND outcome = 'succeeded'
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'workloads', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
