-- title = "Pod exec sessions"
-- question = "Who opened a session in which pod, and what did they run?"
-- description = """
-- exec, attach and port-forward: one row per session, with the command line of an exec. outcome is
-- opened (101), open (opened, and the log does not show its end), refused (401, 403), failed
-- (another code) or unknown (the log shows no response)."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.2", "SOC 2 CC6.7", "NIST AU-14", "NIST AC-17", "ISO 27001 A.8.18"]
-- attack = ["T1609", "T1572"]
-- false_positives = "Operators and backup tools that exec into the pods they manage, CI runners, and network agents."
-- limits = "Input typed after the first command is not logged. 101 means that the stream was opened, not that the command ran. Sessions opened at the kubelet, directly or through nodes/proxy, are not included."
-- message = "{actor}: {kind} in {namespace}/{pod}[ {container}][: {command}] ({outcome})"
-- columns.key = ["actor", "username", "kind", "namespace", "pod", "container", "command", "outcome"]
-- columns.detail = ["started_at", "duration_seconds", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/exec", "pods/attach", "pods/portforward"]
-- stage = "any"
-- [parameters.namespace]
-- type = "string"
-- doc = "Only sessions in this namespace."
-- [parameters.actor]
-- type = "string"
-- doc = "Only sessions of this actor."
SELECT
    started_at,
    ended_at,
    CASE
        WHEN response_code IS NULL THEN 'unknown'
        WHEN response_code IN (401, 403) THEN 'refused'
        WHEN response_code >= 300 THEN 'failed'
        WHEN ended_at IS NULL THEN 'open'
        ELSE 'opened'
    END AS outcome,
    CASE WHEN ended_at IS NOT NULL THEN latency_ms / 1000 END AS duration_seconds,
    kind,
    verb,
    actor,
    actor_kind,
    username,
    namespace,
    name AS pod,
    container,
    command,
    stdin,
    tty,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    stage_timestamp,
    audit_id,
    source_file,
    source_line
FROM exec_sessions
WHERE ($namespace IS NULL OR namespace = $namespace)
  AND ($actor IS NULL OR actor = $actor)
ORDER BY started_at, source_file, source_offset, audit_id
