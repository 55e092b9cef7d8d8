-- title = "RBAC read as a whole"
-- question = "Who listed roles and bindings across the cluster?"
-- description = """
-- Bursts in which one client lists at least `min_resources` of roles, cluster roles, role bindings and cluster
-- role bindings across all namespaces, allowed or refused: together they say who may do what. Watches, as
-- controllers use them, do not count."""
-- severity = "low"
-- level = "Metadata"
-- attack = ["T1069.003"]
-- controls = ["NIST AC-6(7)"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Auditors, access reviews, backups, and dashboards."
-- tuning = "Add tools that review RBAC to the list expected, with the activity recon."
-- limits = "A controller that lists once before it watches is included unless it is in a list."
-- message = "{actor} listed {resource_count} kinds of RBAC objects across the cluster from {peer_ip}[ with {user_agent}][, {refused} times refused]"
-- columns.key = ["actor", "principal", "user_agent", "peer_ip"]
-- columns.detail = ["resources", "requests", "first_seen", "last_seen"]
-- covers = ["SP: Kubernetes sensitive role access"]
-- triage = ["principal-timeline principal={principal}", "rbac-changes actor={actor}"]
-- [[needs]]
-- verbs = ["list"]
-- resources = [
--     "roles.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io",
--     "clusterrolebindings.rbac.authorization.k8s.io",
-- ]
-- [parameters.gap]
-- type = "duration"
-- default = "10m"
-- doc = "A pause longer than this begins a new burst."
-- [parameters.min_resources]
-- type = "integer"
-- default = 2
-- doc = "Kinds of RBAC objects in a burst."
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'low' AS severity,
    actor,
    principal,
    count(DISTINCT resource) AS resource_count,
    array_agg(DISTINCT resource ORDER BY resource) AS resources,
    count(*) AS requests,
    nullif(count(CASE WHEN response_code IN (401, 403) THEN 1 END), 0) AS refused,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        paced.*,
        count(CASE WHEN idle_ms IS NULL OR idle_ms > $gap THEN 1 END) OVER (
            PARTITION BY cluster, principal, actor, client_ip, peer_ip, user_agent
            ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS burst
    FROM (
        SELECT
            cluster, stage_timestamp, actor, principal, resource, response_code, client_ip, peer_ip, user_agent, audit_id,
            source_file, source_offset,
            CAST(
                CAST(stage_timestamp AS BIGINT) - CAST(lag(stage_timestamp) OVER (
                    PARTITION BY cluster, principal, actor, client_ip, peer_ip, user_agent
                    ORDER BY stage_timestamp, audit_id, source_file, source_offset
                ) AS BIGINT) AS DOUBLE
            ) / 1000 AS idle_ms
        FROM requests
        WHERE verb = 'list'
          AND api_group = 'rbac.authorization.k8s.io'
          AND resource IN ('roles', 'clusterroles', 'rolebindings', 'clusterrolebindings')
          AND namespace = ''
          AND NOT listed('system_principals', principal)
          AND NOT listed('expected', principal, 'recon', namespace)
    ) AS paced
) AS bursts
GROUP BY cluster, actor, principal, client_ip, peer_ip, user_agent, burst
HAVING count(DISTINCT resource) >= $min_resources
ORDER BY first_seen, actor, user_agent, peer_ip, client_ip
