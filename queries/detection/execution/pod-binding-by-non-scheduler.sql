-- title = "Pod bound to a node by hand"
-- question = "Who, other than the scheduler, bound a pod to a node?"
-- description = """
-- Creations of pods/binding or bindings by anybody but the scheduler. Whoever may do it puts a pod on a
-- node of their choice, past taints, quotas of nodes and the scheduler's rules."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["SOC 2 CC6.8", "NIST AC-6"]
-- attack = ["T1610"]
-- false_positives = "Schedulers of one's own, such as Volcano, YuniKorn or Koordinator."
-- tuning = "Give schedulers in the list expected, with the activity workloads."
-- limits = "The node is in the body, so it needs level Request. A pod whose spec names its node needs no binding: see spec-nodename-pinned."
-- message = "{actor} bound pod {namespace}/[{name}|without a name][ to node {node}] ({outcome})"
-- triage = ["pod-fate namespace={namespace} name={name}", "principal-timeline principal={principal}", "namespace-access namespace={namespace}"]
-- covers = []
-- differs = "No rival has it."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "name", "outcome"]
-- columns.detail = ["node", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create"]
-- resources = ["pods/binding", "bindings"]
SELECT
    stage_timestamp,
    graded(CASE WHEN (
        actor_kind = 'serviceaccount'
        AND impersonated_username IS NULL
        AND (pod_name IS NOT NULL OR credential_id IS NULL AND annotations['authentication.k8s.io/legacy-token'] IS NULL)
        AND NOT regexp_like(coalesce(user_agent, ''), '^$|^(?:kubectl|oc|curl|wget|python|k9s|websocat)', 'i')
    ) THEN 'medium' ELSE 'high' END, outcome) AS severity,
    outcome,
    actor,
    principal,
    actor_kind,
    operation,
    resource,
    namespace,
    object_name AS name,
    body_text(request_object, 'target.name') AS node,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE write_kind = 'binding'
  AND api_group = ''
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'workloads', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
