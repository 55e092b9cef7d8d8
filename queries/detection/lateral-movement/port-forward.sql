-- title = "Port forwarding"
-- question = "Who opened tunnels to pods through the apiserver?"
-- description = """
-- Port-forward sessions to pods, opened, refused or failed; one row per session. A tunnel reaches ports that no
-- service shows and passes network policies. ports are those that the client named in the URI; kubectl names them
-- inside the stream, where no audit log sees them."""
-- severity = "low"
-- level = "Metadata"
-- attack = ["T1090", "T1572"]
-- controls = ["NIST AC-17", "PCI-DSS 10.2.1.2", "SOC 2 CC6.7"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Developers who debug, and desktop tools such as Lens and k9s."
-- tuning = "Add people and tools to the list expected, with the activity proxy; narrow it to their namespaces."
-- limits = "What went through the tunnel is not in the log. Sessions opened at the kubelet are not included."
-- message = "{actor} forwarded ports of {namespace}/{pod} ({outcome})"
-- columns.key = ["actor", "principal", "namespace", "pod", "outcome"]
-- columns.detail = ["ports", "started_at", "duration_seconds", "peer_ip", "user_agent"]
-- covers = ["F: port-forward", "Kubescape: C-0063"]
-- differs = "Sessions that kubectl opens by WebSocket (verb get) count, too, and attempts are told apart."
-- triage = ["principal-timeline principal={principal}", "pod-exec-sessions namespace={namespace} actor={actor}", "sessions principal={principal}"]
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/portforward"]
-- stage = "any"
SELECT
    stage_timestamp,
    graded('low', outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    verb,
    namespace,
    name AS pod,
    query_param(request_uri, 'ports') AS ports,
    started_at,
    CASE WHEN ended_at IS NOT NULL THEN latency_ms / 1000 END AS duration_seconds,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM exec_sessions
WHERE kind = 'portforward'
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'proxy', namespace)
ORDER BY started_at, source_file, source_offset, audit_id
