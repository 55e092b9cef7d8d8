-- title = "Privileged container"
-- question = "Who ran, or tried to run, privileged containers?"
-- description = """
-- Privileged containers of pods and of the templates of workloads, init and ephemeral containers
-- included, created or changed; refused attempts, failures and dry runs as well (outcome). What
-- controllers create from a template is left out, since the template has its own row. A privileged
-- container is root on the node."""
-- severity = "high"
-- level = "Request"
-- controls = ["CIS 5.2.2", "SOC 2 CC6.8", "NIST CM-7", "NSA/CISA hardening guide"]
-- attack = ["T1611", "T1610"]
-- tables = ["system_principals", "expected"]
-- covers = [
--     "Falco: Create Privileged Pod", "Sigma: Privileged Container Deployed",
--     "Elastic: Kubernetes Privileged Pod Created", "Panther: Kubernetes Privileged Pod Created",
--     "Splunk: Kubernetes Create or Update Privileged Pod", "Google: GKE_PRIVILEGED_CONTAINER",
--     "Defender: K8S_PrivilegedContainer", "GuardDuty: PrivilegedContainer",
--     "Stratus: k8s.privilege-escalation.privileged-pod", "TM9018",
-- ]
-- differs = "Sigma tests a key that audit events do not have; Splunk searches the annotation of client-side kubectl apply; Falco and Elastic look at pods created with verb create only, and mostly at containers without init and ephemeral ones."
-- false_positives = "Network and storage plugins, and other software that runs on the nodes."
-- limits = "At level Metadata the log does not show the pod spec, so no rows does not mean no such pods. The same applies to truncated events, JSON patches at level Request, and requests refused before their body was read. Static pods, and pods created before the log begins, are not included. A patch that the apiserver failed to log leaves only what controllers make of it, which is left out."
-- tuning = "Add controllers, add-ons and people who run such pods to the list expected, with activity privileged-pods and their namespace."
-- triage = [
--     "pod-fate namespace={namespace} name={name}", "pod-exec-sessions namespace={namespace}",
--     "principal-timeline principal={principal}",
-- ]
-- message = "{actor} ran privileged container {container_name} in {resource} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = [
--     "actor", "principal", "outcome", "resource", "namespace", "name", "container_kind", "container_name",
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
-- [parameters.controllers]
-- type = "boolean"
-- default = false
-- doc = "Also what controllers create from templates. It shows workloads whose own request the log does not hold."
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
    container_kind,
    container_name,
    image,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM containers
WHERE privileged
  -- Through subresources only an ephemeral container can become so.
  AND (subresource = '' OR container_kind = 'ephemeral')
  -- A patch of something else, such as labels or replicas, leaves the pod as it was.
  AND (
      verb <> 'patch' OR spec_source = 'request' OR request_object IS NULL OR request_object LIKE '[%'
      OR pod_spec(resource, request_object) IS NOT NULL
  )
  AND ($controllers OR NOT listed('system_principals', principal))
  AND NOT listed('expected', principal, 'privileged-pods', namespace)
ORDER BY stage_timestamp, source_file, source_offset, container_kind, container_name, audit_id
