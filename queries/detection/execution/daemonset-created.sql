-- title = "DaemonSet created"
-- question = "Who created a workload that runs on every node?"
-- description = """
-- DaemonSets created, by server-side apply too. Known controllers are left out (list expected, activity
-- workloads). At level Request host_network and images say more."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 CC8.1", "NIST CM-3"]
-- attack = ["T1543", "T1610"]
-- false_positives = "Installation of network, storage, log and monitoring agents."
-- tuning = "Give those who install agents in the list expected, with the activity workloads."
-- limits = "What the pods are allowed to do on the node is in other ids: privileged-pod, sensitive-hostpath, pod-host-network."
-- message = "{actor} created DaemonSet {namespace}/{name} ({outcome})"
-- triage = ["object-history resource=daemonsets namespace={namespace} name={name}", "principal-timeline principal={principal}", "rbac-changes actor={actor}"]
-- covers = ["Panther: Kubernetes.DaemonSet.Created", "Splunk: Kubernetes DaemonSet Deployed"]
-- differs = "A DaemonSet that server-side apply creates counts, too (verb patch, 201)."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "name", "outcome"]
-- columns.detail = ["image", "host_network", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "patch"]
-- resources = ["daemonsets.apps"]
SELECT
    stage_timestamp,
    graded('low', outcome) AS severity,
    outcome,
    actor,
    principal,
    actor_kind,
    operation,
    resource,
    namespace,
    object_name AS name,
    containers(pod_spec(resource, object))[1]['image'] AS image,
    body_text(pod_spec(resource, object), 'hostNetwork') AS host_network,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE resource = 'daemonsets'
  AND api_group IN ('apps', 'extensions')
  AND subresource = ''
  AND operation = 'create'
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'workloads', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
