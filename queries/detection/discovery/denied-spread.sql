-- title = "Refused across many resources"
-- question = "Who was refused on many kinds of resources in a short time?"
-- description = """
-- Bursts of refusals (decision forbid) of one principal from one address on at least `min_resources` kinds of
-- resources. medium, but low for people with an interactive tool, which shows all menus, and for programs that
-- are refused the same things over and over: those are badly set up, not curious."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1613", "T1069.003"]
-- controls = ["NIST SI-4", "NIST AC-3", "SOC 2 CC7.2"]
-- tables = ["system_principals", "expected"]
-- false_positives = "A service account whose role is not complete, until it has been refused the same things several times."
-- tuning = "Give the service account the rights that it needs, or add it to the list expected, with the activity recon. Raise min_resources if many people have partial rights."
-- limits = "Deliveries that drop annotations do not tell authorization from admission: any 403 counts there."
-- message = "{principal} was refused on {resource_count} kinds of resources from {peer_ip} ({refusals}×)"
-- columns.key = ["principal", "peer_ip"]
-- columns.detail = ["resources", "namespaces", "verbs", "user_agents", "first_seen", "last_seen"]
-- covers = ["EA: failure burst", "EG: failure burst", "S: Kubernetes Unauthorized Or Unauthenticated Access", "SP: Kubernetes unauthorized access"]
-- differs = "Nodes are left out: the Node authorizer refuses them as a matter of course. Refused impersonation is not counted, since its object is the target of the request."
-- triage = ["denied-requests actor={principal}", "principal-timeline principal={principal}", "sessions principal={principal}"]
-- [[needs]]
-- resources = ["*"]
-- columns = ["response_code"]
-- [parameters.gap]
-- type = "duration"
-- default = "10m"
-- doc = "A pause longer than this begins a new burst."
-- [parameters.min_resources]
-- type = "integer"
-- default = 4
-- doc = "Kinds of resources in a burst."
SELECT
    stage_timestamp,
    CASE
        WHEN refusals >= 5 * targets THEN 'low'
        WHEN interactive AND principal_kind = 'human' THEN 'low'
        ELSE 'medium'
    END AS severity,
    principal,
    refusals,
    targets,
    resource_count,
    resources,
    namespaces,
    verbs,
    user_agents,
    first_seen,
    last_seen,
    peer_ip
FROM (
    SELECT
        max(stage_timestamp) AS stage_timestamp,
        principal,
        max(actor_kind) AS principal_kind,
        bool_and(coalesce(regexp_like(user_agent, '^(?:k9s|Lens|OpenLens|Headlamp|Mozilla|Octant|dashboard)'), false)) AS interactive,
        count(*) AS refusals,
        count(DISTINCT concat_ws(' ', verb, api_group, resource, subresource, namespace)) AS targets,
        count(DISTINCT resource) AS resource_count,
        array_agg(DISTINCT resource ORDER BY resource) AS resources,
        array_agg(DISTINCT namespace ORDER BY namespace) AS namespaces,
        array_agg(DISTINCT verb ORDER BY verb) AS verbs,
        array_agg(DISTINCT user_agent ORDER BY user_agent) AS user_agents,
        min(stage_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen,
        peer_ip
    FROM (
        SELECT
            paced.*,
            count(CASE WHEN idle_ms IS NULL OR idle_ms > $gap THEN 1 END) OVER (
                PARTITION BY cluster, principal, peer_ip
                ORDER BY stage_timestamp, audit_id, source_file, source_offset
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS burst
        FROM (
            SELECT
                cluster, stage_timestamp, principal, actor_kind, verb, api_group, resource, subresource, namespace, peer_ip,
                user_agent, audit_id, source_file, source_offset,
                CAST(
                    CAST(stage_timestamp AS BIGINT) - CAST(lag(stage_timestamp) OVER (
                        PARTITION BY cluster, principal, peer_ip
                        ORDER BY stage_timestamp, audit_id, source_file, source_offset
                    ) AS BIGINT) AS DOUBLE
                ) / 1000 AS idle_ms
            FROM denials
            WHERE refused_by IN ('authorization', 'unknown')
              AND resource IS NOT NULL
              AND principal IS NOT NULL
              AND NOT listed('system_principals', principal)
              AND NOT listed('expected', principal, 'recon', namespace)
        ) AS paced
    ) AS bursts
    GROUP BY cluster, principal, peer_ip, burst
    HAVING count(DISTINCT resource) >= $min_resources
) AS counted
ORDER BY first_seen, principal, peer_ip
