-- title = "Pod spec names its node"
-- question = "Who chose the node of a pod, past the scheduler?"
-- description = """
-- Pods and pod templates whose requested spec has nodeName. The scheduler, and taints with NoSchedule,
-- do not apply to them. Static pods, which the kubelet mirrors, are left out. low if it looks like an
-- operator at work (a service account with the token of its pod)."""
-- severity = "medium"
-- level = "Request"
-- controls = ["SOC 2 CC6.8", "NIST AC-6"]
-- attack = ["T1610", "T1611"]
-- false_positives = "Helper pods of storage provisioners and node agents, and kubectl debug node."
-- tuning = "Give provisioners in the list expected, with the activity workloads."
-- limits = "Needs the request's body. nodeSelector and tolerations can choose a node, too, by way of the scheduler."
-- message = "{actor} pinned {resource} {namespace}/[{name}|without a name] to node {node} ({outcome})"
-- triage = ["pod-fate namespace={namespace} name={name}", "principal-timeline principal={principal}", "pod-exec-sessions namespace={namespace} actor={actor}"]
-- covers = []
-- differs = "No rival has it."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "resource", "namespace", "name", "node", "outcome"]
-- columns.detail = ["image", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates", "deployments.apps",
--     "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch",
-- ]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded(CASE WHEN (
        actor_kind = 'serviceaccount'
        AND impersonated_username IS NULL
        AND (pod_name IS NOT NULL OR credential_id IS NULL AND annotations['authentication.k8s.io/legacy-token'] IS NULL)
        AND NOT regexp_like(coalesce(user_agent, ''), '^$|^(?:kubectl|oc|curl|wget|python|k9s|websocat)', 'i')
    ) THEN 'low' ELSE 'medium' END, outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    actor_kind,
    verb,
    resource,
    subresource,
    namespace,
    object_name AS name,
    body_text(pod_spec(resource, request_object), 'nodeName') AS node,
    containers(pod_spec(resource, request_object))[1]['image'] AS image,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM pod_specs
WHERE subresource = ''
  -- The node of a pod that exists is the scheduler's choice.
  AND (verb = 'create' OR created OR resource <> 'pods')
  AND body_text(pod_spec(resource, request_object), 'nodeName') <> ''
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'workloads', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
