-- title = "Service account token read with exec"
-- question = "Who read the token of a pod's service account through exec?"
-- description = """
-- Commands of exec that name the files in which pods find their tokens: the Kubernetes token, and the
-- projected tokens for AWS, Azure, Google Cloud and others below /run/secrets. Reading only the
-- namespace or the CA certificate beside the token does not count. Attempts that were refused have a
-- lower severity."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.2", "SOC 2 CC7.2", "NIST SI-4"]
-- attack = ["T1528", "T1552.007", "T1609"]
-- false_positives = "Debugging of authentication inside a pod; applications that keep secrets of their own below /run/secrets."
-- limits = "Input typed into a shell is not logged, and a command that is encoded, or in a script, is not seen through. On GKE the command is in a label of the log entry."
-- message = "{principal}[ as {acted_as}] read a token in {namespace}/{name}: {command} ({outcome})"
-- columns.key = ["principal", "actor", "namespace", "name", "command", "outcome"]
-- columns.detail = ["what", "container", "client_ip", "peer_ip", "user_agent"]
-- tables = ["expected"]
-- triage = ["pod-exec-sessions namespace={namespace}", "principal-timeline principal={principal}", "tokens-used-off-pod"]
-- tuning = "Add controllers that run such commands to expected, activity exec."
-- covers = ["Panther: k8s_steal_serviceaccount_token", "Stratus: k8s.credential-access.steal-serviceaccount-token", "Elastic: credential_access_kubernetes_pod_exec_sensitive_file_access"]
-- differs = "Panther looks at verb create only and misses WebSocket sessions, which kubectl uses since 1.31; the names are compared after decoding."
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/exec"]
-- stage = "any"
SELECT
    started_at AS stage_timestamp,
    graded('high', outcome) AS severity,
    outcome,
    what,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    verb,
    namespace,
    name,
    container,
    command,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        exec_sessions.*,
        outcome(response_code, dry_run) AS outcome,
        CASE
            WHEN regexp_like(
                regexp_replace(command, '[\w./-]*serviceaccount/(?:\.\.data/)?(?:namespace|ca\.crt)', '', 'g'),
                'run/secrets/(?:kubernetes\.io|k[\w.]*[*?\[])|serviceaccount/(?:\.\.data/)?token'
            ) THEN 'service account token'
            WHEN regexp_like(command, 'run/secrets/eks\.amazonaws\.com|run/secrets/pods\.eks\.amazonaws\.com') THEN 'AWS token'
            WHEN regexp_like(command, 'run/secrets/azure') THEN 'Azure token'
            WHEN regexp_like(command, 'run/secrets/tokens|run/secrets/workload-spiffe') THEN 'projected token'
            WHEN regexp_like(command, '(?:^|[\s"''=:(<])/(?:var/)?run/secrets/?(?:[\s;|&"'')*]|$)') THEN 'all secrets of the pod'
        END AS what
    FROM exec_sessions
    WHERE kind = 'exec'
      AND command IS NOT NULL
      AND NOT listed('expected', principal, 'exec', namespace)
) AS commands
WHERE what IS NOT NULL
ORDER BY started_at, source_file, source_offset, audit_id
