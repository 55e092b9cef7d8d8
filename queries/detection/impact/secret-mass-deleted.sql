-- title = "Many secrets deleted"
-- question = "Who deleted many secrets in a short time?"
-- description = """
-- Bursts of deletes of secrets by one principal: at least min_secrets of them, or a whole collection. Not counted:
-- secrets that the principal itself created within the log, and Helm's release secrets; a burst with one of those,
-- in one namespace, is an uninstalled release, and low. A service account that deletes fewer than four times
-- min_secrets is low: operators clean up. Refused bursts have a row of their own, one step less severe."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["SOC 2 CC7.2", "NIST SI-4"]
-- attack = ["T1485", "T1531"]
-- covers = ["Sigma: Kubernetes Secrets Modified or Deleted"]
-- differs = "Sigma reports each deleted secret; this counts."
-- false_positives = "Removal of a platform by people."
-- limits = "How many secrets a collection had is not counted."
-- tuning = "Raise min_secrets; add operators to expected with activity deletes."
-- triage = [
--     "principal-timeline principal={principal}", "who-deleted resource=secrets",
--     "sessions principal={principal}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{principal} deleted {secrets} secrets and {collections} collections of secrets in {namespace_count} namespaces ({outcome})"
-- columns.key = ["principal", "outcome", "first_seen"]
-- columns.detail = ["secrets", "collections", "namespaces", "names", "last_seen", "peer_ips", "user_agents"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["secrets"]
-- columns = ["response_code"]
-- [parameters.min_secrets]
-- type = "integer"
-- default = 5
-- doc = "At least this many secrets, deleted one by one."
-- [parameters.pause]
-- type = "duration"
-- default = "5m"
-- doc = "A pause as long as this ends a burst."
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded(
        CASE
            WHEN bool_or(is_release) AND count(DISTINCT namespace) = 1 AND NOT bool_or(operation = 'deletecollection') THEN 'low'
            WHEN principal LIKE 'system:serviceaccount:%' AND NOT bool_or(operation = 'deletecollection')
                AND count(DISTINCT concat(namespace, '/', name)) / 4 < $min_secrets THEN 'low'
            ELSE 'high'
        END,
        outcome
    ) AS severity,
    outcome,
    principal,
    array_to_string(array_agg(DISTINCT actor ORDER BY actor), ', ') AS actor,
    count(DISTINCT CASE WHEN operation = 'delete' AND NOT is_release THEN concat(namespace, '/', name) END) AS secrets,
    count(DISTINCT CASE WHEN operation = 'deletecollection' THEN namespace END) AS collections,
    count(DISTINCT namespace) AS namespace_count,
    array_agg(DISTINCT namespace ORDER BY namespace) AS namespaces,
    array_agg(DISTINCT name ORDER BY name) FILTER (WHERE name <> '') AS names,
    count(*) AS requests,
    array_agg(DISTINCT client_ip ORDER BY client_ip) AS client_ips,
    array_agg(DISTINCT peer_ip ORDER BY peer_ip) AS peer_ips,
    array_agg(DISTINCT user_agent ORDER BY user_agent) AS user_agents
FROM (
    SELECT
        paused.*,
        count(CASE WHEN is_first THEN 1 END) OVER (
            PARTITION BY cluster, principal, outcome ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS burst
    FROM (
        SELECT
            chosen.*,
            -- The first after a pause, in seconds.
            coalesce(
                date_part('epoch', stage_timestamp - lag(stage_timestamp) OVER (
                    PARTITION BY cluster, principal, outcome ORDER BY stage_timestamp, audit_id, source_file, source_offset
                )) > $pause / 1000, true
            ) AS is_first
        FROM (
            SELECT deleted.*, name LIKE 'sh.helm.release.v1.%' AS is_release
            FROM (
                SELECT write_requests.*
                FROM write_requests
                WHERE operation IN ('delete', 'deletecollection') AND api_group = '' AND resource = 'secrets' AND subresource = ''
            ) AS deleted
            LEFT JOIN (
                SELECT DISTINCT
                    cluster AS own_cluster, principal AS own_principal, namespace AS own_namespace, object_name AS own_name
                FROM write_requests
                WHERE api_group = '' AND resource = 'secrets'
                  AND subresource = '' AND operation = 'create' AND outcome = 'succeeded'
            ) AS own
                ON deleted.principal = own.own_principal
                AND deleted.namespace = own.own_namespace AND deleted.name = own.own_name
                AND (deleted.cluster IS NOT DISTINCT FROM own.own_cluster)
            WHERE outcome IN ('succeeded', 'refused', 'unknown')
              AND NOT listed('system_principals', principal)
              AND NOT listed('expected', principal, 'deletes', namespace)
              AND ($actor IS NULL OR actor = $actor OR principal = $actor)
              AND own.own_name IS NULL
        ) AS chosen
    ) AS paused
) AS numbered
GROUP BY cluster, principal, outcome, burst
HAVING count(DISTINCT CASE WHEN operation = 'delete' AND NOT is_release THEN concat(namespace, '/', name) END) >= $min_secrets
    OR bool_or(operation = 'deletecollection')
ORDER BY first_seen, principal, outcome
