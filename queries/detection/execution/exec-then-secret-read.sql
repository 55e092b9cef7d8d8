-- title = "Exec into a pod, then its service account reads secrets"
-- question = "After whose exec did a pod's service account begin to read secrets?"
-- description = """
-- An exec or attach session, and within window after its start reads of secrets with the token of that
-- very pod. Secrets that the pod had read before the session do not count, so an operator that always
-- reads them is left out. One row per session and service account; the reads are in its evidence. low
-- if the reads were refused."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["SOC 2 CC7.2", "NIST SI-4", "PCI-DSS 10.2.1.2"]
-- attack = ["T1609", "T1552.007"]
-- false_positives = "A person who debugs a controller while it takes up a new secret."
-- tuning = "window is the time between the start of the session and the read. Controllers that read new secrets all the time belong in the list expected, with the activity secrets."
-- limits = "Needs the pod of a token in user.extra (bound tokens; GKE does not log it). A token carried away and used with another pod's name is not possible, but a node's kubelet, or a token minted anew, is not seen."
-- message = "after {actor} entered pod {namespace}/{pod}, {service_account} read {secrets} secret(s) or lists ({outcome})"
-- triage = ["secrets-read actor={service_account}", "principal-timeline principal={principal}", "pod-exec-sessions namespace={namespace} actor={actor}"]
-- covers = []
-- differs = "The idea is ATT&CK's detection DET0198; no rival has it as a rule."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "pod", "service_account", "outcome"]
-- columns.detail = ["command", "secret_names", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/exec", "pods/attach"]
-- stage = "any"
-- [[needs]]
-- verbs = ["get", "list", "watch"]
-- resources = ["secrets"]
-- from = "service-accounts"
-- [parameters.window]
-- type = "duration"
-- default = "10m"
-- doc = "Longest time from the start of the session to the read."
SELECT
    session.stage_timestamp,
    CASE WHEN secret_read.outcome = 'succeeded' THEN 'high' ELSE 'low' END AS severity,
    secret_read.outcome,
    session.actor,
    session.principal,
    session.kind,
    session.namespace,
    session.name AS pod,
    session.command,
    session.started_at,
    secret_read.username AS service_account,
    min(secret_read.request_received_timestamp) AS first_read_at,
    count(*) AS reads,
    count(DISTINCT concat(secret_read.namespace, '/', secret_read.name)) AS secrets,
    array_agg(DISTINCT concat(secret_read.namespace, '/', nullif(secret_read.name, '')) ORDER BY concat(secret_read.namespace, '/', nullif(secret_read.name, ''))) AS secret_names,
    session.response_code,
    session.client_ip,
    session.peer_ip,
    session.user_agent,
    session.audit_id,
    session.source_file,
    session.source_line
FROM exec_sessions AS session
JOIN (
    SELECT
        cluster,
        username,
        service_account_namespace,
        pod_name,
        namespace,
        name,
        request_received_timestamp,
        outcome(response_code, dry_run) AS outcome,
        min(request_received_timestamp) OVER (
            PARTITION BY cluster, username, pod_name, verb, namespace, name, outcome(response_code, dry_run)
        ) AS first_read_at
    FROM secret_reads
    WHERE pod_name IS NOT NULL
      AND NOT listed('expected', username, 'secrets', namespace)
) AS secret_read
    ON secret_read.pod_name = session.name
    AND secret_read.service_account_namespace = session.namespace
    AND (secret_read.cluster IS NOT DISTINCT FROM session.cluster)
    AND secret_read.first_read_at >= session.started_at
    AND (CAST(secret_read.request_received_timestamp AS BIGINT) - CAST(session.started_at AS BIGINT)) / 1000 <= $window
WHERE session.kind IN ('exec', 'attach')
  AND outcome(session.response_code, session.dry_run) IN ('succeeded', 'unknown')
  AND (NOT listed('system_principals', session.principal) OR listed('system_principals', session.principal, 'kubernetes'))
GROUP BY
    session.stage_timestamp, secret_read.outcome, session.actor, session.principal, session.kind, session.namespace,
    session.name, session.command, session.started_at, secret_read.username, session.response_code, session.client_ip,
    session.peer_ip, session.user_agent, session.audit_id, session.source_file, session.source_line
ORDER BY session.stage_timestamp, session.source_file, session.source_line, session.audit_id, service_account, outcome
