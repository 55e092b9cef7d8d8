-- title = "Large lists read"
-- question = "Who read lists so large that writing the answer took long?"
-- description = """
-- Lists of secrets, config maps and pods without a limit whose answer took at least `min_write` to write: the apiserver
-- notes its latencies when a request takes more than half a second. One row per client and resource."""
-- severity = "low"
-- level = "Metadata"
-- attack = ["T1530", "T1119"]
-- controls = ["NIST AC-4", "ISO 27001 A.8.12"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Controllers that fill their cache at the start, inventory and backup tools, and slow networks."
-- tuning = "Raise min_write; add controllers to the list expected, with the activity recon."
-- limits = "The log holds no sizes. An answer of less than half a second has no latencies, and a client that reads in pages (limit=) is not found. Deliveries that drop annotations show nothing."
-- message = "{actor} read {resource} of [{namespace}|all namespaces] in one go, {requests}×: writing took up to {longest_write_ms} ms"
-- columns.key = ["actor", "principal", "resource", "namespace", "user_agent", "peer_ip"]
-- columns.detail = ["requests", "longest_write_ms", "first_seen", "last_seen"]
-- triage = ["principal-timeline principal={principal}", "secrets-read actor={actor}", "sessions principal={principal}"]
-- [[needs]]
-- verbs = ["list"]
-- resources = ["secrets", "configmaps", "pods"]
-- columns = ["annotations"]
-- [parameters.min_write]
-- type = "duration"
-- default = "500ms"
-- doc = "Only answers that took at least so long to write."
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'low' AS severity,
    actor,
    principal,
    resource,
    namespace,
    count(*) AS requests,
    CAST(round(max(write_ms)) AS BIGINT) AS longest_write_ms,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        stage_timestamp, actor, principal, resource, namespace, client_ip, peer_ip, user_agent,
        go_duration(annotations['apiserver.latency.k8s.io/response-write']) AS write_ms
    FROM requests
    WHERE verb = 'list'
      AND resource IN ('secrets', 'configmaps', 'pods')
      AND api_group = ''
      AND subresource = ''
      AND name = ''
      AND response_code = 200
      AND query_param(request_uri, 'limit') IS NULL
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'recon', namespace)
      AND NOT listed('expected', principal, resource, namespace)
) AS listings
WHERE write_ms >= $min_write
GROUP BY actor, principal, resource, namespace, client_ip, peer_ip, user_agent
ORDER BY first_seen, actor, resource, namespace, user_agent, peer_ip, client_ip
