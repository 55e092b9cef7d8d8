-- title = "Pods listed across the cluster by people"
-- question = "Which people listed the pods of all namespaces?"
-- description = """
-- Lists of pods without a namespace by people, as `kubectl get pods -A` makes them, allowed or refused. An
-- inventory, to compare with an investigation's other findings. One row per client and outcome."""
-- severity = "info"
-- level = "Metadata"
-- attack = ["T1613"]
-- controls = ["NIST AC-6(9)"]
-- tables = ["expected"]
-- false_positives = "Everyday work of administrators."
-- tuning = "Add administrators to the list expected, with the activity recon."
-- limits = "People are told from machines by their names: a service account that a person uses is not included."
-- message = "{actor} listed the pods of all namespaces {requests}× from {peer_ip} ({outcome})"
-- columns.key = ["actor", "principal", "user_agent", "peer_ip", "outcome"]
-- columns.detail = ["requests", "first_seen", "last_seen"]
-- covers = ["SP: Kubernetes pod scan"]
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}"]
-- [[needs]]
-- verbs = ["list"]
-- resources = ["pods"]
-- from = "people"
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'info' AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    count(*) AS requests,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    client_ip,
    peer_ip,
    user_agent
FROM requests
WHERE verb = 'list'
  AND resource = 'pods'
  AND api_group = ''
  AND subresource = ''
  AND namespace = ''
  AND actor_kind = 'human'
  AND NOT listed('expected', principal, 'recon', namespace)
GROUP BY outcome(response_code, dry_run), actor, principal, client_ip, peer_ip, user_agent
ORDER BY first_seen, actor, user_agent, peer_ip, client_ip, outcome
