-- title = "Cluster looked over"
-- question = "Who read through several kinds of resources that describe the cluster, within moments?"
-- description = """
-- Bursts in which one client reads (get, list) at least `min_resources` of namespaces, nodes, pods,
-- service accounts, config maps, roles and bindings, with pauses of at most `gap`. Kinds that the same client
-- also watches in the burst do not count: that is a controller's cache; nor does what a service account gets by
-- name, unless it is refused. medium for service accounts, nodes and
-- anonymous users that list across namespaces or are refused; low for people and for what stays in one namespace."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1613", "T1069.003"]
-- controls = ["NIST SI-4", "SOC 2 CC7.2"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Backup, inventory and security scanners, GitOps tools, dashboards, and people who look for a fault."
-- tuning = "Add such tools to the list expected, with the activity recon. Raise min_resources, or shorten gap."
-- limits = "What was read is not in the log. A program that lists without watching, such as a scheduled scanner, looks like an attacker until it is listed."
-- message = "{actor} read {resource_count} kinds of cluster resources within {seconds} s from {peer_ip}[ with {user_agent}]"
-- columns.key = ["actor", "principal", "user_agent", "peer_ip"]
-- columns.detail = ["resources", "cluster_wide", "refused", "requests", "first_seen", "last_seen"]
-- covers = ["E: Kubernetes Multi-Resource Discovery", "EG: Multi-Resource Discovery"]
-- differs = "Elastic's rule has no notion of a controller's informers, which list and watch the same kinds at every start, and counts the objects that a pod gets by name."
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}", "secrets-read actor={actor}"]
-- [[needs]]
-- verbs = ["get", "list", "watch"]
-- resources = [
--     "namespaces", "nodes", "pods", "serviceaccounts", "configmaps", "roles.rbac.authorization.k8s.io",
--     "clusterroles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io",
--     "clusterrolebindings.rbac.authorization.k8s.io",
-- ]
-- [parameters.gap]
-- type = "duration"
-- default = "1m"
-- doc = "A pause longer than this begins a new burst."
-- [parameters.min_resources]
-- type = "integer"
-- default = 3
-- doc = "Kinds of resources in a burst."
SELECT
    stage_timestamp,
    CASE
        WHEN actor_kind IN ('serviceaccount', 'node', 'anonymous') AND (cluster_wide > 1 OR refused > 0) THEN 'medium'
        ELSE 'low'
    END AS severity,
    actor,
    actor_kind,
    principal,
    array_length(resources) AS resource_count,
    resources,
    requests,
    cluster_wide,
    refused,
    CAST(ceil(CAST(CAST(last_seen AS BIGINT) - CAST(first_seen AS BIGINT) AS DOUBLE) / 1000000) AS BIGINT) AS seconds,
    first_seen,
    last_seen,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        max(stage_timestamp) AS stage_timestamp,
        actor,
        actor_kind,
        principal,
        array_except(
            array_agg(DISTINCT resource ORDER BY resource) FILTER (
                WHERE verb = 'list' OR verb = 'get' AND (actor_kind <> 'serviceaccount' OR response_code = 403)
            ),
            coalesce(array_agg(DISTINCT resource) FILTER (WHERE verb = 'watch'), make_array(''))
        ) AS resources,
        count(*) AS requests,
        count(DISTINCT CASE WHEN verb = 'list' AND namespace = '' THEN resource END) AS cluster_wide,
        count(CASE WHEN response_code IN (401, 403) THEN 1 END) AS refused,
        min(begun) AS first_seen,
        max(begun) AS last_seen,
        client_ip,
        peer_ip,
        user_agent
    FROM (
        SELECT
            paced.*,
            count(CASE WHEN idle_ms IS NULL OR idle_ms > $gap THEN 1 END) OVER (
                PARTITION BY cluster, principal, actor, client_ip, peer_ip, user_agent
                ORDER BY begun, stage_timestamp, audit_id, source_file, source_offset
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS burst
        FROM (
            SELECT
                cluster, stage_timestamp, actor, actor_kind, principal, verb, resource, namespace, response_code, client_ip,
                peer_ip, user_agent, audit_id, source_file, source_offset,
                -- A watch ends long after the list that it follows.
                coalesce(request_received_timestamp, stage_timestamp) AS begun,
                CAST(
                    CAST(coalesce(request_received_timestamp, stage_timestamp) AS BIGINT)
                    - CAST(lag(coalesce(request_received_timestamp, stage_timestamp)) OVER (
                        PARTITION BY cluster, principal, actor, client_ip, peer_ip, user_agent
                        ORDER BY coalesce(request_received_timestamp, stage_timestamp), stage_timestamp, audit_id, source_file,
                            source_offset
                    ) AS BIGINT) AS DOUBLE
                ) / 1000 AS idle_ms
            FROM requests
            WHERE verb IN ('get', 'list', 'watch')
              AND (
                  resource IN ('namespaces', 'nodes', 'pods', 'serviceaccounts', 'configmaps') AND api_group = ''
                  OR resource IN ('roles', 'clusterroles', 'rolebindings', 'clusterrolebindings')
                  AND api_group = 'rbac.authorization.k8s.io'
              )
              AND subresource = ''
              AND NOT listed('system_principals', principal)
              AND NOT listed('expected', principal, 'recon', namespace)
        ) AS paced
    ) AS bursts
    GROUP BY cluster, actor, actor_kind, principal, client_ip, peer_ip, user_agent, burst
) AS counted
WHERE array_length(resources) >= $min_resources
ORDER BY first_seen, actor, user_agent, peer_ip, client_ip
