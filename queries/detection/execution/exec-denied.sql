-- title = "Refused exec or attach"
-- question = "Who tried to enter a pod without the right to?"
-- description = """
-- exec and attach sessions that were refused (401, 403). A pod that does not exist (404) or a client
-- without an upgrade (400) is not a refusal."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.4", "SOC 2 CC6.1", "NIST AC-3"]
-- attack = ["T1609"]
-- false_positives = "People who try kubectl exec in the wrong namespace or cluster."
-- tuning = "Raise min_attempts to see only those who insist."
-- limits = "A refusal by an admission webhook looks the same; response_message says who refused."
-- message = "{actor} was refused {kind} in pod {namespace}/{pod}[: {command}]"
-- triage = ["denied-requests actor={actor}", "principal-timeline principal={principal}", "pod-exec-sessions actor={actor}"]
-- covers = ["Elastic AKS: Attempted User Exec into Pod"]
-- differs = "Covers both verbs, and tells refusals from failures."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "kind", "namespace", "pod", "command"]
-- columns.detail = ["response_message", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/exec", "pods/attach"]
-- stage = "any"
-- [parameters.min_attempts]
-- type = "integer"
-- default = 1
-- doc = "Only principals with at least this many refusals in the log."
SELECT
    stage_timestamp,
    'low' AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    actor_kind,
    kind,
    verb,
    namespace,
    name AS pod,
    container,
    command,
    stdin,
    tty,
    response_message,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM exec_sessions
WHERE kind IN ('exec', 'attach')
  AND outcome(response_code, dry_run) = 'refused'
  AND (NOT listed('system_principals', principal) OR listed('system_principals', principal, 'kubernetes'))
  AND NOT listed('expected', principal, 'exec', namespace)
QUALIFY count(*) OVER (PARTITION BY principal) >= $min_attempts
ORDER BY stage_timestamp, source_file, source_offset, audit_id
