-- title = "Exec by a service account"
-- question = "Which service accounts ran commands in pods?"
-- description = """
-- exec and attach sessions of service accounts, impersonated ones included. Software seldom execs; a
-- stolen token does. severity is high, or low where the session looks like an operator at work: the
-- token belongs to a pod, no terminal was asked for, and the client is not kubectl or a script."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["SOC 2 CC6.7", "NIST AC-6(9)", "NIST AC-17"]
-- attack = ["T1609", "T1078"]
-- false_positives = "Operators of databases and storage, backup hooks, and CI runners that start jobs by exec."
-- tuning = "Give service accounts that exec as their job in the list expected, with the activity exec and their namespace."
-- limits = "A thief who uses the token from inside the operator's own pod looks like the operator. Where the log does not show the pod of a token (GKE, Kubernetes before 1.29) the program alone decides."
-- message = "service account {actor} opened {kind} in pod {namespace}/{pod}[: {command}] ({outcome})"
-- triage = ["principal-timeline principal={principal}", "token-lineage credential={credential_id}", "pod-exec-sessions actor={actor}"]
-- covers = []
-- differs = "Others report every exec alike, whoever the user is."
-- tables = ["system_principals", "system_namespaces", "expected"]
-- columns.key = ["principal", "actor", "kind", "namespace", "pod", "command", "outcome"]
-- columns.detail = ["token_pod", "tty", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/exec", "pods/attach"]
-- stage = "any"
SELECT
    stage_timestamp,
    graded(
        CASE
            WHEN tty IS NOT TRUE
                AND NOT listed('system_namespaces', namespace)
                AND (
                    actor_kind = 'serviceaccount'
                    AND impersonated_username IS NULL
                    AND (pod_name IS NOT NULL OR credential_id IS NULL AND annotations['authentication.k8s.io/legacy-token'] IS NULL)
                    AND NOT regexp_like(coalesce(user_agent, ''), '^$|^(?:kubectl|oc|curl|wget|python|k9s|websocat)', 'i')
                )
                THEN 'low'
            ELSE 'high'
        END,
        outcome(response_code, dry_run)
    ) AS severity,
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
    pod_name AS token_pod,
    credential_id,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM exec_sessions
WHERE kind IN ('exec', 'attach')
  AND actor_kind = 'serviceaccount'
  AND (NOT listed('system_principals', principal) OR listed('system_principals', principal, 'kubernetes'))
  AND NOT listed('expected', principal, 'exec', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
