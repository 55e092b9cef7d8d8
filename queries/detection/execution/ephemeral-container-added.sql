-- title = "Ephemeral container added to a pod"
-- question = "Who added a debug container to a running pod?"
-- description = """
-- Writes of pods/ephemeralcontainers, as kubectl debug makes them: the new container shares the pod's
-- network, its volumes if it asks, and the processes of a target container. ephemeral_containers has
-- what the pod or the request shows of them, as JSON; it is NULL at level Metadata."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["SOC 2 CC6.7", "NIST CM-7"]
-- attack = ["T1609", "T1611"]
-- false_positives = "kubectl debug by the team that owns the pod."
-- tuning = "Give principals that debug as their job in the list expected, with the activity exec."
-- limits = "The image and command need level Request. A patch at level Request names the containers that it adds; at RequestResponse the row has all ephemeral containers of the pod."
-- message = "{actor} added an ephemeral container to pod {namespace}/{pod} ({outcome})"
-- triage = ["pod-exec-sessions namespace={namespace} actor={actor}", "principal-timeline principal={principal}", "pod-fate namespace={namespace} name={pod}"]
-- covers = ["Falco: EphemeralContainers Created", "Elastic: Kubernetes Ephemeral Container Added to Pod", "Elastic: AWS EKS Ephemeral Container Added to Pod"]
-- differs = "Refused attempts and dry runs are told apart."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "pod", "outcome"]
-- columns.detail = ["ephemeral_containers", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = ["pods/ephemeralcontainers"]
SELECT
    stage_timestamp,
    graded('medium', outcome) AS severity,
    outcome,
    actor,
    principal,
    actor_kind,
    verb,
    namespace,
    name AS pod,
    coalesce(body_text(object, 'spec.ephemeralContainers'), body_text(object, 'ephemeralContainers')) AS ephemeral_containers,
    object_source,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE resource = 'pods'
  AND api_group = ''
  AND subresource = 'ephemeralcontainers'
  AND (NOT listed('system_principals', principal) OR listed('system_principals', principal, 'kubernetes'))
  AND NOT listed('expected', principal, 'exec', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
