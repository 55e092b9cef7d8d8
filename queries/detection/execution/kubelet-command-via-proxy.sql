-- title = "Kubelet command through nodes/proxy"
-- question = "Who ran commands on a node's kubelet through the apiserver?"
-- description = """
-- Requests for nodes/proxy whose path is an endpoint of the kubelet that runs commands or opens streams:
-- run, exec, attach, portForward, cri and checkpoint. The apiserver checks no pods/exec for them, and a
-- WebSocket makes them a get. The path is decoded first."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["CIS 5.1.10", "SOC 2 CC6.1", "NIST AC-6"]
-- attack = ["T1609", "T1210"]
-- false_positives = "None known; monitoring reads other paths."
-- tuning = "Take nodes/proxy away from roles (nodes/metrics is enough for monitoring)."
-- limits = "Requests sent to the kubelet's own port are not in this log. GKE does not log the URI."
-- message = "{actor} sent {endpoint} to the kubelet of node {node} ({outcome})"
-- triage = ["principal-timeline principal={principal}", "denied-requests actor={actor}", "pod-exec-sessions actor={actor}"]
-- covers = ["Elastic: Kubernetes API Server Proxying Request to Kubelet", "Stratus: Privilege escalation through node/proxy permissions"]
-- differs = "get counts as well as create; /runningpods is not /run."
-- columns.key = ["principal", "actor", "node", "path", "outcome"]
-- columns.detail = ["path", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["nodes/proxy"]
-- stage = "any"
-- columns = ["request_uri"]
SELECT
    stage_timestamp,
    graded('high', outcome) AS severity,
    outcome,
    actor,
    principal,
    actor_kind,
    verb,
    node,
    regexp_match(path, '/proxy/+(?:cri/+)?([A-Za-z]+)')[1] AS endpoint,
    path,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        stage_timestamp,
        outcome(response_code, dry_run) AS outcome,
        actor,
        principal,
        actor_kind,
        verb,
        name AS node,
        -- The apiserver decodes the path: so does this.
        query_param(concat('/?path=', replace(split_part(request_uri, '?', 1), '&', '%26')), 'path') AS path,
        response_code,
        client_ip,
        peer_ip,
        user_agent,
        audit_id,
        source_file,
        source_line,
        source_offset
    FROM events
    WHERE resource = 'nodes'
      AND api_group = ''
      AND subresource = 'proxy'
    -- The latest stage of each request: a stream may still be open.
    QUALIFY row_number() OVER (
        PARTITION BY audit_id, request_received_timestamp, username, request_uri
        ORDER BY stage_timestamp DESC, response_code DESC
    ) = 1
) AS proxied
WHERE regexp_like(path, '/proxy/+(?:run|exec|attach|portForward|cri|checkpoint)(?:/|$)')
ORDER BY stage_timestamp, source_file, source_offset, audit_id
