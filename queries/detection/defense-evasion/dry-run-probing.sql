-- title = "Dry runs that probe permissions"
-- question = "Who tried out with dry runs what they may create or change?"
-- description = """
-- Bursts of dry runs (dryRun=All) of one client on sensitive resources: workloads, RBAC, secrets, service
-- accounts, webhooks and admission policies. A dry run passes authorization and admission and changes nothing, so
-- it tells an attacker quietly what would be allowed. Reported if a burst touches at least `min_resources`
-- kinds, or was refused at least `min_refused` times."""
-- severity = "low"
-- level = "Metadata"
-- attack = ["T1613"]
-- controls = ["NIST AC-3"]
-- tables = ["system_principals", "expected"]
-- false_positives = "kubectl diff and kubectl apply --dry-run=server of a whole application, and GitOps tools that compare before they apply."
-- tuning = "Add pipelines that use server-side dry runs to the list expected, with the activity workloads. Raise min_resources where people compare whole applications."
-- limits = "At level Metadata a delete or eviction that asks for a dry run in its body is not recognised."
-- message = "{actor} tried out dry runs on {resource_count} kinds of resources ({requests}×, refused: {refused})"
-- columns.key = ["actor", "principal", "user_agent", "peer_ip"]
-- columns.detail = ["resources", "namespaces", "refused", "first_seen", "last_seen"]
-- triage = ["principal-timeline principal={principal}", "denied-requests actor={actor}"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
-- [parameters.gap]
-- type = "duration"
-- default = "10m"
-- doc = "A pause longer than this begins a new burst."
-- [parameters.min_resources]
-- type = "integer"
-- default = 3
-- doc = "Kinds of sensitive resources in a burst."
-- [parameters.min_refused]
-- type = "integer"
-- default = 3
-- doc = "Refused dry runs in a burst."
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'low' AS severity,
    actor,
    principal,
    count(*) AS requests,
    count(DISTINCT resource) AS resource_count,
    array_agg(DISTINCT resource ORDER BY resource) AS resources,
    array_agg(DISTINCT namespace ORDER BY namespace) AS namespaces,
    count(*) FILTER (WHERE response_code IN (401, 403)) AS refused,
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
            cluster, stage_timestamp, actor, principal, resource, namespace, response_code, client_ip, peer_ip, user_agent,
            audit_id, source_file, source_offset,
            CAST(
                CAST(stage_timestamp AS BIGINT) - CAST(lag(stage_timestamp) OVER (
                    PARTITION BY cluster, principal, actor, client_ip, peer_ip, user_agent
                    ORDER BY stage_timestamp, audit_id, source_file, source_offset
                ) AS BIGINT) AS DOUBLE
            ) / 1000 AS idle_ms
        FROM write_requests
        WHERE dry_run LIKE '%All%'
          AND (
              resource IN (
                  'pods', 'deployments', 'daemonsets', 'statefulsets', 'jobs', 'cronjobs', 'secrets', 'serviceaccounts', 'nodes',
                  'namespaces', 'persistentvolumes'
              ) AND api_group IN ('', 'apps', 'batch')
              OR api_group IN ('rbac.authorization.k8s.io', 'admissionregistration.k8s.io', 'certificates.k8s.io', 'apiregistration.k8s.io')
          )
          AND NOT listed('system_principals', principal)
          AND NOT listed('expected', principal, 'workloads', namespace)
    ) AS paced
) AS bursts
GROUP BY cluster, principal, actor, client_ip, peer_ip, user_agent, burst
HAVING count(DISTINCT resource) >= $min_resources
    OR count(*) FILTER (WHERE response_code IN (401, 403)) >= $min_refused
ORDER BY first_seen, actor, user_agent, peer_ip, client_ip
