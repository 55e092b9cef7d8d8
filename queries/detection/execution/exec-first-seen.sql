-- title = "First exec of a principal in a namespace"
-- question = "Who entered pods of a namespace where they never had before?"
-- description = """
-- Principals whose first exec or attach in a namespace is in this log: the time before the window has
-- none. One row per principal, namespace and outcome, with all its sessions behind it."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["SOC 2 CC7.2", "NIST SI-4"]
-- attack = ["T1609"]
-- baseline = "7d"
-- false_positives = "New colleagues, new duties, new namespaces."
-- tuning = "Give a longer baseline, or principals whose job is to exec in the list expected, with the activity exec."
-- limits = "What was rare before the baseline is new here."
-- message = "{principal} entered pods in {namespace} for the first time: {sessions} session(s) ({outcome})"
-- triage = ["pod-exec-sessions namespace={namespace} actor={principal}", "principal-timeline principal={principal}", "namespace-access namespace={namespace}"]
-- covers = ["GuardDuty: Execution:Kubernetes/AnomalousBehavior.ExecInPod"]
-- differs = "The rule is plain: a pair of principal and namespace that the baseline does not have."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "namespace", "outcome"]
-- columns.detail = ["commands", "peer_ips", "user_agents"]
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/exec", "pods/attach"]
-- stage = "any"
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded('medium', outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    principal,
    namespace,
    count(*) AS sessions,
    count(DISTINCT name) AS pods,
    array_agg(DISTINCT command ORDER BY command) FILTER (WHERE command IS NOT NULL) AS commands,
    array_agg(DISTINCT peer_ip ORDER BY peer_ip) FILTER (WHERE peer_ip IS NOT NULL) AS peer_ips,
    array_agg(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL) AS user_agents
FROM exec_sessions
WHERE kind IN ('exec', 'attach')
  AND principal IS NOT NULL
  AND (NOT listed('system_principals', principal) OR listed('system_principals', principal, 'kubernetes'))
  AND NOT listed('expected', principal, 'exec', namespace)
  AND NOT EXISTS (
      SELECT 1
      FROM earlier_requests AS earlier
      WHERE earlier.principal = exec_sessions.principal
        AND earlier.namespace = exec_sessions.namespace
        AND earlier.resource = 'pods'
        AND earlier.subresource IN ('exec', 'attach')
        AND outcome(earlier.response_code, earlier.dry_run) = 'succeeded'
  )
GROUP BY outcome(response_code, dry_run), principal, namespace
ORDER BY first_seen, principal, namespace, outcome
