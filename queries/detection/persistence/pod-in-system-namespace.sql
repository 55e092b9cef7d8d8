-- title = "Workload created in a system namespace"
-- question = "Who runs something of their own in a namespace of the cluster itself?"
-- description = """
-- Pods and workloads created in a namespace of the list system_namespaces. A refused attempt, a failed one and a
-- dry run have a row, too, one step less severe: see outcome. Requests of the control plane and of principals in
-- the list expected (activity workloads) are left out."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["CIS 5.7.4", "NIST CM-7", "SOC 2 CC6.8"]
-- attack = ["T1610", "T1036"]
-- covers = [
--     "Falco: Pod Created in Kube Namespace", "Sigma: Creation Of Pod In System Namespace",
--     "Panther: Kubernetes Pod Created in System Namespace",
--     "Splunk: Kubernetes Pod Created in Default Namespace",
--     "Google SCC: workload triggered in sensitive namespace",
--     "Defender: new container in the kube-system namespace",
-- ]
-- differs = "Falco and Sigma look at pods created with verb create; this covers every workload, and server-side apply."
-- false_positives = "Installation and upgrade of add-ons by people."
-- limits = "Changes of workloads that are there already are in workload-patched-sidecar."
-- tuning = "Add what is meant to do this to expected with activity workloads."
-- triage = [
--     "object-history resource={resource} namespace={namespace} name={name}",
--     "principal-timeline principal={principal}", "namespace-access namespace={namespace}",
-- ]
-- tables = ["system_principals", "expected", "system_namespaces"]
-- message = "{actor} created {resource} {namespace}/[{name}|without a name][ with image {image}] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "resource", "namespace", "name"]
-- columns.detail = ["image", "service_account", "peer_ip", "user_agent"]
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
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
SELECT
    stage_timestamp,
    graded('medium', outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    containers(pod_spec(resource, object))[1]['image'] AS image,
    body_text(pod_spec(resource, object), 'serviceAccountName') AS service_account,
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
  AND listed('system_namespaces', namespace)
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'workloads', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
