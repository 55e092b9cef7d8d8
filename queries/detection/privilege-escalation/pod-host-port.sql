-- title = "Port of the node"
-- question = "Which containers ask for a port of their node?"
-- description = """
-- Containers with a hostPort of pods and of the templates of workloads, init and ephemeral containers
-- included, created or changed; refused attempts, failures and dry runs as well (outcome). What
-- controllers create from a template is left out, since the template has its own row. The port is open
-- on every address of the node, past services and often past network policies. Pods with hostNetwork,
-- where all ports are the node's, are in pod-host-network."""
-- severity = "low"
-- level = "Request"
-- controls = ["CIS 5.2.13", "SOC 2 CC6.8", "NIST CM-7", "NSA/CISA hardening guide"]
-- attack = ["T1611", "T1610"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Ingress controllers and node agents."
-- limits = "At level Metadata the log does not show the pod spec, so no rows does not mean no such pods. The same applies to truncated events, JSON patches at level Request, and requests refused before their body was read. Static pods, and pods created before the log begins, are not included. A patch that the apiserver failed to log leaves only what controllers make of it, which is left out."
-- tuning = "Add controllers, add-ons and people who run such pods to the list expected, with activity privileged-pods and their namespace."
-- triage = [
--     "pod-fate namespace={namespace} name={name}", "pod-exec-sessions namespace={namespace}",
--     "principal-timeline principal={principal}",
-- ]
-- message = "{actor} ran container {container_name} on port {host_ports} of the node: {resource} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = [
--     "actor", "principal", "outcome", "resource", "namespace", "name", "container_kind", "container_name",
--     "host_ports",
-- ]
-- columns.detail = ["image", "response_code", "peer_ip", "user_agent"]
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
    graded('low', outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    verb,
    resource,
    namespace,
    object_name AS name,
    container_kind,
    container_name,
    image,
    array_to_string(host_ports, ', ') AS host_ports,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM containers
WHERE array_length(host_ports) > 0
  AND (body_text(pod_spec, 'hostNetwork') = 'true') IS NOT TRUE
  -- Through subresources only an ephemeral container can become so.
  AND (subresource = '' OR container_kind = 'ephemeral')
  -- A patch of something else, such as labels or replicas, leaves the pod as it was.
  AND (
      verb <> 'patch' OR spec_source = 'request' OR request_object IS NULL OR request_object LIKE '[%'
      OR pod_spec(resource, request_object) IS NOT NULL
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'privileged-pods', namespace)
ORDER BY stage_timestamp, source_file, source_offset, container_kind, container_name, audit_id
