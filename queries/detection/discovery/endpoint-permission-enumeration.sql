-- title = "Permissions enumerated by trial"
-- question = "Who tried many different requests, some allowed and some not, as if to map their rights?"
-- description = """
-- Short bursts of one principal from one address that touch more than `min_targets` different targets (paths
-- or objects) of more than `min_resources` kinds, with allowed and forbidden answers mixed, and fewer than
-- `max_requests` requests: a program that works makes more requests and is not refused, one that is broken is
-- refused all the time. medium if at least three kinds are forbidden; low if fewer are, if the same is forbidden again
-- and again (a program that lacks a right), and for people with an interactive tool (k9s, Lens, a browser), which
-- shows all menus."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1613", "T1069.003"]
-- controls = ["NIST SI-4", "SOC 2 CC7.2"]
-- tables = ["system_principals", "expected"]
-- false_positives = "A new service account whose role is not complete yet, and people with few rights who look around."
-- tuning = "Add monitoring and operators to the list expected, with the activity recon. Raise min_resources if many people have partial rights."
-- limits = "Deliveries that drop annotations do not show the decision; 403 counts as forbidden there, and the rest as allowed."
-- message = "{principal} tried {targets} targets of {resource_count} kinds from {peer_ip}: {allowed} allowed, {forbidden} forbidden"
-- columns.key = ["principal", "peer_ip"]
-- columns.detail = ["forbidden_resources", "allowed_resources", "user_agents", "first_seen", "last_seen"]
-- covers = ["E: Kubernetes Potential Endpoint Permission Enumeration Attempt Detected", "EG: Endpoint Permission Enumeration Attempt"]
-- differs = "Refused impersonation is not counted: there the object of the event is the target of the request, and says nothing about the rights of its sender."
-- triage = ["principal-timeline principal={principal}", "denied-requests actor={principal}", "sessions principal={principal}"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["response_code"]
-- [parameters.gap]
-- type = "duration"
-- default = "5m"
-- doc = "A pause longer than this begins a new burst."
-- [parameters.min_targets]
-- type = "integer"
-- default = 5
-- doc = "More different targets than this."
-- [parameters.min_resources]
-- type = "integer"
-- default = 3
-- doc = "More kinds of resources than this."
-- [parameters.max_requests]
-- type = "integer"
-- default = 75
-- doc = "Fewer requests than this."
SELECT
    stage_timestamp,
    CASE
        WHEN interactive AND principal_kind = 'human' THEN 'low'
        WHEN forbidden_kinds < 3 OR forbidden >= 3 * forbidden_targets THEN 'low'
        ELSE 'medium'
    END AS severity,
    principal,
    requests,
    targets,
    resource_count,
    allowed,
    forbidden,
    forbidden_resources,
    allowed_resources,
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
        count(*) AS requests,
        count(DISTINCT target) AS targets,
        count(DISTINCT resource) AS resource_count,
        count(CASE WHEN NOT is_forbidden THEN 1 END) AS allowed,
        count(CASE WHEN is_forbidden THEN 1 END) AS forbidden,
        count(DISTINCT CASE WHEN is_forbidden THEN resource END) AS forbidden_kinds,
        count(DISTINCT CASE WHEN is_forbidden THEN target END) AS forbidden_targets,
        array_agg(DISTINCT resource ORDER BY resource) FILTER (WHERE is_forbidden AND resource IS NOT NULL) AS forbidden_resources,
        array_agg(DISTINCT resource ORDER BY resource) FILTER (WHERE NOT is_forbidden AND resource IS NOT NULL) AS allowed_resources,
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
                cluster, stage_timestamp, principal, actor_kind, resource, peer_ip, user_agent, audit_id, source_file, source_offset,
                coalesce(request_uri, concat_ws('/', api_group, resource, subresource, namespace, name)) AS target,
                authz_decision IS NOT DISTINCT FROM 'forbid' OR (authz_decision IS NULL AND response_code = 403) AS is_forbidden,
                CAST(
                    CAST(stage_timestamp AS BIGINT) - CAST(lag(stage_timestamp) OVER (
                        PARTITION BY cluster, principal, peer_ip
                        ORDER BY stage_timestamp, audit_id, source_file, source_offset
                    ) AS BIGINT) AS DOUBLE
                ) / 1000 AS idle_ms
            FROM requests
            WHERE principal IS NOT NULL
              -- Only principals that were refused at all; and a refused impersonation says nothing about rights.
              AND principal IN (SELECT principal FROM denials WHERE refused_by IN ('authorization', 'unknown'))
              AND (authz_decision IS NOT NULL OR response_code <> 403 OR (response_message LIKE '%cannot impersonate%') IS NOT TRUE)
              AND NOT listed('system_principals', principal)
              AND NOT listed('expected', principal, 'recon', '')
        ) AS paced
    ) AS bursts
    GROUP BY cluster, principal, peer_ip, burst
    HAVING count(*) < $max_requests
       AND count(DISTINCT target) > $min_targets
       AND count(DISTINCT resource) > $min_resources
       AND count(CASE WHEN is_forbidden THEN 1 END) > 0
       AND count(CASE WHEN NOT is_forbidden THEN 1 END) > 0
) AS counted
ORDER BY first_seen, principal, peer_ip
