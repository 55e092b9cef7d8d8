-- title = "Pod in the node's IPC namespace"
-- question = "Who ran, or tried to run, pods that share memory with the node?"
-- description = """
-- hostIPC in pods and in the templates of workloads, created or changed; refused attempts, failures
-- and dry runs included (outcome). What controllers create from a template is left out, since the
-- template has its own row. Such a pod can read and write shared memory of processes on the node."""
-- severity = "medium"
-- level = "Request"
-- controls = ["CIS 5.2.4", "SOC 2 CC6.8", "NIST CM-7", "NSA/CISA hardening guide"]
-- attack = ["T1611", "T1610"]
-- tables = ["system_principals", "expected"]
-- covers = [
--     "Falco: Create HostIPC Pod", "Elastic: Kubernetes Pod Created With HostIPC",
--     "Panther: Kubernetes Pod With Host IPC",
-- ]
-- false_positives = "Databases and GPU software that use shared memory."
-- limits = "At level Metadata the log does not show the pod spec, so no rows does not mean no such pods. The same applies to truncated events, JSON patches at level Request, and requests refused before their body was read. Static pods, and pods created before the log begins, are not included. A patch that the apiserver failed to log leaves only what controllers make of it, which is left out."
-- tuning = "Add controllers, add-ons and people who run such pods to the list expected, with activity privileged-pods and their namespace."
-- triage = [
--     "pod-fate namespace={namespace} name={name}", "pod-exec-sessions namespace={namespace}",
--     "principal-timeline principal={principal}",
-- ]
-- message = "{actor} ran a pod with hostIPC: {resource} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "resource", "namespace", "name"]
-- columns.detail = ["response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates",
--     "deployments.apps", "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch",
--     "cronjobs.batch",
-- ]
-- verbs = ["create", "update", "patch"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded('medium', outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    verb,
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
FROM pod_specs
WHERE subresource = ''
  AND body_text(pod_spec, 'hostIPC') = 'true'
  -- A patch of something else, such as labels or replicas, leaves the pod as it was.
  AND (
      verb <> 'patch' OR spec_source = 'request' OR request_object IS NULL OR request_object LIKE '[%'
      OR pod_spec(resource, request_object) IS NOT NULL
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'privileged-pods', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
