-- title = "Own permissions listed"
-- question = "Who asked the apiserver for everything that they may do?"
-- description = """
-- SelfSubjectRulesReviews, as `kubectl auth can-i --list` makes them: the first thing to do with a stolen
-- credential. medium for service accounts and nodes, which know what they may do; low for people, whose
-- tools ask the same. One row per client."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1069.003", "T1613"]
-- controls = ["NIST SI-4", "SOC 2 CC7.2"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Dashboards and GitOps tools ask to find out which namespaces they can show."
-- tuning = "Add such tools to the list expected, with the activity recon."
-- limits = "The answer is in the log only at level RequestResponse. An impersonating request asks for the rights of the impersonated user."
-- message = "{actor} listed what they may do, from {peer_ip}[ with {user_agent}] ({outcome}, {requests}×)"
-- columns.key = ["actor", "principal", "user_agent", "peer_ip", "outcome"]
-- columns.detail = ["requests", "namespaces", "first_seen", "last_seen"]
-- covers = ["S: RBAC Permission Enumeration Attempt", "E: Kubernetes Suspicious Self-Subject Review", "EG: GKE Suspicious Self-Subject Review via Service Account", "GD: Discovery:Kubernetes/AnomalousBehavior.PermissionChecked"]
-- differs = "Sigma's rule tests a top-level apiGroup, which audit events do not have (it is objectRef.apiGroup), and cannot match. Elastic's rule compares the user agent with a fixed list; here the list expected holds the programs whose job it is."
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}", "denied-requests actor={actor}"]
-- [[needs]]
-- verbs = ["create"]
-- resources = ["selfsubjectrulesreviews.authorization.k8s.io", "selfsubjectrulesreviews.authorization.openshift.io"]
SELECT
    max(stage_timestamp) AS stage_timestamp,
    graded(CASE WHEN actor_kind IN ('serviceaccount', 'node', 'anonymous') THEN 'medium' ELSE 'low' END, outcome) AS severity,
    outcome,
    actor,
    actor_kind,
    principal,
    count(*) AS requests,
    array_agg(DISTINCT body_text(request_object, 'spec.namespace') ORDER BY body_text(request_object, 'spec.namespace'))
        FILTER (WHERE body_text(request_object, 'spec.namespace') IS NOT NULL) AS namespaces,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    client_ip,
    peer_ip,
    user_agent
FROM write_requests
WHERE verb = 'create'
  AND resource = 'selfsubjectrulesreviews'
  AND api_group IN ('authorization.k8s.io', 'authorization.openshift.io')
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'recon', namespace)
GROUP BY outcome, actor, actor_kind, principal, client_ip, peer_ip, user_agent
ORDER BY first_seen, actor, user_agent, peer_ip, client_ip, outcome
