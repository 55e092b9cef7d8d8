-- title = "Stale tokens"
-- question = "Which pods use service account tokens that they should have renewed?"
-- description = """
-- Requests with a service account token past the time at which its client should have read a fresh
-- one, one row per account, pod and program. The apiserver accepts such tokens for up to a year, so
-- that old client libraries keep working (on EKS for 90 days), and then refuses them.
-- seconds_overdue is the largest delay that the apiserver noted."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["NIST IA-5(1)", "PCI-DSS 8.6.3", "SOC 2 CC6.1"]
-- attack = ["T1550.001"]
-- false_positives = "None: each of these clients stops working when tokens are no longer extended."
-- limits = "Shown only where the apiserver extends the life of tokens (--service-account-extend-token-expiration, the default). A token without a pod was not bound to one, or the cluster is older than 1.22."
-- message = "{username}[ in pod {pod_name}]: token not renewed[, {seconds_overdue} s overdue] ({requests}×)"
-- columns.key = ["username", "pod_name", "user_agent"]
-- columns.detail = ["seconds_overdue", "requests", "node_name", "last_seen"]
-- triage = ["principal-timeline principal={username}"]
-- tuning = "Give namespace to look at one team's accounts."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "service-accounts"
-- stage = "any"
-- columns = ["annotations"]
-- [parameters.namespace]
-- type = "string"
-- doc = "Only service accounts of this namespace."
WITH marked AS (
    SELECT
        stage_timestamp, audit_id, source_file, source_line, cluster, username, pod_name, node_name, credential_id, client_ip,
        user_agent, annotations
    FROM requests
    WHERE annotations['authentication.k8s.io/stale-token'] IS NOT NULL
    UNION ALL
    SELECT
        stage_timestamp, audit_id, source_file, source_line, cluster, username, pod_name, node_name, credential_id, client_ip,
        user_agent, annotations
    FROM unfinished_requests
    WHERE annotations['authentication.k8s.io/stale-token'] IS NOT NULL
)
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'low' AS severity,
    username,
    split_part(username, ':', 3) AS namespace,
    pod_name,
    node_name,
    user_agent,
    max(TRY_CAST(
        regexp_match(annotations['authentication.k8s.io/stale-token'], 'seconds after warning threshold: ([0-9]+)')[1] AS BIGINT
    )) AS seconds_overdue,
    count(*) AS requests,
    count(DISTINCT credential_id) AS tokens,
    array_agg(DISTINCT client_ip ORDER BY client_ip) FILTER (WHERE client_ip IS NOT NULL) AS addresses,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    last_value(audit_id ORDER BY stage_timestamp, audit_id) AS audit_id,
    last_value(source_file ORDER BY stage_timestamp, audit_id) AS source_file,
    last_value(source_line ORDER BY stage_timestamp, audit_id) AS source_line
FROM marked
WHERE $namespace IS NULL OR username LIKE 'system:serviceaccount:' || $namespace || ':%'
GROUP BY cluster, username, pod_name, node_name, user_agent
ORDER BY username, pod_name, node_name, user_agent, audit_id
