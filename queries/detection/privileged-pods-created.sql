-- title = "Privileged pods created"
-- question = "Who created, or tried to create, pods with privileged containers?"
-- description = """
-- Privileged containers, init containers and ephemeral containers in pods and in the pod templates
-- of workloads. outcome is created (server-side apply included), changed (an update or patch of an
-- existing object), refused (4xx), failed (5xx; the change may have happened), dry run, or unknown
-- (no response code). A patch known not to touch the pod spec, such as one of labels or replicas,
-- is left out."""
-- severity = "high"
-- level = "Request"
-- controls = ["CIS 5.2.2", "SOC 2 CC6.8", "NIST CM-7", "NSA/CISA hardening guide"]
-- attack = ["T1611", "T1610"]
-- false_positives = "Network and storage plugins, kube-proxy, node agents, and the controllers that create or scale pods, ReplicaSets and jobs from a template. List known ones in ignored_actors."
-- limits = "At level Metadata the log does not show the pod spec, so no rows does not mean no privileged pods. The same applies to truncated events, JSON patches at level Request, requests refused before their body was read, and server-side apply that the apiserver failed to log. Static pods, and pods created before the log begins, are not included."
-- message = "{actor}: privileged {container_kind} container {container_name} in {resource} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = ["actor", "outcome", "resource", "namespace", "name", "container_kind", "container_name", "image"]
-- columns.detail = ["image", "response_message", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates", "deployments.apps",
--     "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch",
-- ]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.namespace]
-- type = "string"
-- doc = "Only pods and workloads in this namespace."
-- [parameters.ignored_actors]
-- type = "strings"
-- doc = "Leave out requests by these actors."
SELECT
    stage_timestamp,
    CASE
        WHEN response_code IS NULL THEN 'unknown'
        WHEN created THEN 'created'
        WHEN response_code >= 500 THEN 'failed'
        WHEN response_code >= 400 THEN 'refused'
        WHEN dry_run LIKE '%All%' THEN 'dry run'
        ELSE 'changed'
    END AS outcome,
    actor,
    actor_kind,
    username,
    verb,
    resource,
    subresource,
    namespace,
    object_name AS name,
    container_kind,
    container_name,
    image,
    response_code,
    response_message,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM containers
WHERE privileged
  -- Through these subresources only an ephemeral container can become privileged.
  AND (subresource = '' OR container_kind = 'ephemeral')
  AND (
      verb <> 'patch'
      OR created
      OR request_object IS NULL
      OR ltrim(request_object) LIKE '[%'
      OR pod_spec(resource, request_object) IS NOT NULL
  )
  AND ($namespace IS NULL OR namespace = $namespace)
  AND ($ignored_actors IS NULL OR (actor = ANY($ignored_actors)) IS NOT TRUE)
ORDER BY stage_timestamp, source_file, source_offset, container_kind, container_name, audit_id
