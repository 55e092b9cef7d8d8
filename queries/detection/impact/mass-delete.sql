-- title = "Mass deletion"
-- question = "Who deleted many things, or many kinds of things, in a short time?"
-- description = """
-- Bursts of deletes by one principal: at least min_objects objects, min_kinds kinds, or min_collections
-- collections. Not counted: what the principal itself created within the log, Helm's release secrets, pods, jobs
-- and ReplicaSets (they are made again), events, leases and endpoints. high: min_objects objects, or min_kinds
-- kinds that were deleted as collections or as whole namespaces; medium: min_kinds kinds in as many namespaces;
-- low: the rest, such as the removal of one application, an uninstalled Helm release, and a service account that
-- deletes objects of one kind or of one namespace. Refused bursts have a row of their own, one step less
-- severe."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["SOC 2 CC7.2", "SOC 2 A1.2", "NIST SI-4", "ISO 27001 A.8.13"]
-- attack = ["T1485"]
-- covers = [
--     "Microsoft threat matrix: Data destruction", "Falco: K8s Deployment Deleted", "Falco: K8s Service Deleted",
--     "Sigma: Deployment Deleted From Kubernetes Cluster",
-- ]
-- differs = "The others report each deletion; this counts, leaves out what the principal itself had made, and sees deletecollection."
-- false_positives = "Removal of a platform by people, migrations."
-- limits = "How many objects a collection had is not counted. What was created before the log begins, or without a name in it (legacy text, generateName at level Metadata), does not count as their own."
-- tuning = "Raise the thresholds; add GitOps tools, janitors and operators to expected with activity deletes."
-- triage = ["principal-timeline principal={principal}", "who-deleted", "sessions principal={principal}"]
-- tables = ["system_principals", "expected"]
-- message = "{principal} deleted {objects} objects and {collections} collections of {kinds} kinds in {namespace_count} namespaces ({outcome})"
-- columns.key = ["principal", "outcome", "first_seen"]
-- columns.detail = ["objects", "collections", "resources", "namespaces", "last_seen", "peer_ips", "user_agents"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
-- columns = ["response_code"]
-- [parameters.min_objects]
-- type = "integer"
-- default = 20
-- doc = "At least this many objects, deleted one by one."
-- [parameters.min_kinds]
-- type = "integer"
-- default = 3
-- doc = "Or objects of at least this many kinds."
-- [parameters.min_collections]
-- type = "integer"
-- default = 3
-- doc = "Or at least this many collections (kind and namespace)."
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
            WHEN count(DISTINCT CASE WHEN operation = 'deletecollection' OR resource = 'namespaces' THEN resource END) >= $min_kinds
                THEN 'high'
            WHEN bool_or(is_release) AND count(DISTINCT nullif(namespace, '')) <= 1 AND NOT bool_or(operation = 'deletecollection')
                THEN 'low'
            WHEN principal LIKE 'system:serviceaccount:%' AND NOT bool_or(operation = 'deletecollection') AND (
                count(DISTINCT concat_ws('/', api_group, resource)) = 1 OR count(DISTINCT nullif(namespace, '')) <= 1
            ) THEN 'low'
            WHEN count(DISTINCT CASE WHEN operation = 'delete' THEN concat_ws('/', api_group, resource, namespace, name) END)
                >= $min_objects THEN 'high'
            WHEN count(DISTINCT concat_ws('/', api_group, resource)) >= $min_kinds
                AND count(DISTINCT nullif(namespace, '')) >= $min_kinds THEN 'medium'
            ELSE 'low'
        END,
        outcome
    ) AS severity,
    outcome,
    principal,
    array_to_string(array_agg(DISTINCT actor ORDER BY actor), ', ') AS actor,
    count(DISTINCT CASE WHEN operation = 'delete' THEN concat_ws('/', api_group, resource, namespace, name) END) AS objects,
    count(DISTINCT CASE WHEN operation = 'deletecollection' THEN concat_ws('/', api_group, resource, namespace) END) AS collections,
    count(DISTINCT concat_ws('/', api_group, resource)) AS kinds,
    array_agg(DISTINCT resource ORDER BY resource) AS resources,
    count(DISTINCT nullif(namespace, '')) AS namespace_count,
    array_agg(DISTINCT namespace ORDER BY namespace) FILTER (WHERE namespace <> '') AS namespaces,
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
            SELECT deleted.*, resource = 'secrets' AND name LIKE 'sh.helm.release.v1.%' AS is_release
            FROM (
                SELECT write_requests.*
                FROM write_requests
                WHERE operation IN ('delete', 'deletecollection')
                  AND subresource = ''
                  AND resource NOT IN (
                      'pods', 'replicasets', 'jobs', 'controllerrevisions', 'events', 'leases', 'endpoints', 'endpointslices'
                  )
            ) AS deleted
            LEFT JOIN (
                SELECT DISTINCT
                    cluster AS own_cluster, principal AS own_principal, api_group AS own_group, resource AS own_resource,
                    namespace AS own_namespace, object_name AS own_name
                FROM write_requests
                WHERE write_kind = 'object'
                  AND resource NOT IN ('pods', 'replicasets', 'jobs', 'controllerrevisions', 'events', 'leases', 'endpoints', 'endpointslices')
                  AND subresource = '' AND operation = 'create' AND outcome = 'succeeded'
            ) AS own
                ON deleted.principal = own.own_principal
                AND deleted.api_group = own.own_group AND deleted.resource = own.own_resource
                AND (deleted.namespace = own.own_namespace OR deleted.resource = 'namespaces')
                AND deleted.name = own.own_name
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
HAVING count(
        DISTINCT CASE WHEN operation = 'delete' AND NOT is_release THEN concat_ws('/', api_group, resource, namespace, name) END
    ) >= $min_objects
    OR count(
        DISTINCT CASE WHEN operation = 'deletecollection' THEN concat_ws('/', api_group, resource, namespace) END
    ) >= $min_collections
    OR count(DISTINCT CASE WHEN NOT is_release THEN concat_ws('/', api_group, resource) END) >= $min_kinds
ORDER BY first_seen, principal, outcome
