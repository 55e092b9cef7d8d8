-- title = "Permissions tried out"
-- question = "Who asked many times whether they may do something?"
-- description = """
-- Bursts of SelfSubjectAccessReviews, as `kubectl auth can-i` makes them: at least `min_questions` of one
-- client, with pauses of at most `gap`. Where the log has the bodies, different questions are counted, else
-- requests. medium if a service account, a node or an anonymous user asks for sensitive rights (secrets,
-- exec, tokens, RBAC, wildcards) that it does not have, or asks at least `many_questions`; low otherwise."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1613", "T1069.003"]
-- controls = ["NIST SI-4", "SOC 2 CC7.2"]
-- tables = ["system_principals", "expected"]
-- false_positives = "k9s, Lens and dashboards ask before they show a menu; operators ask once at their start."
-- tuning = "Add dashboards and operators to the list expected, with the activity recon. Raise min_questions where people use such tools."
-- limits = "At level Metadata the log does not show what was asked, so repeated questions count, too, and sensitive ones cannot be told. The answers are in the log only at level RequestResponse; below it, sensitive questions count as denied."
-- message = "{actor} asked {questions} times from {peer_ip} what they may do[: {asked}]"
-- columns.key = ["actor", "principal", "user_agent", "peer_ip"]
-- columns.detail = ["requests", "sensitive", "sensitive_denied", "first_seen", "last_seen"]
-- covers = ["E: Kubernetes Suspicious Self-Subject Review", "EG: GKE Suspicious Self-Subject Review via Service Account", "GD: Discovery:Kubernetes/AnomalousBehavior.PermissionChecked"]
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}", "denied-requests actor={actor}"]
-- [[needs]]
-- verbs = ["create"]
-- resources = ["selfsubjectaccessreviews.authorization.k8s.io"]
-- [parameters.min_questions]
-- type = "integer"
-- default = 5
-- doc = "Questions in a burst."
-- [parameters.many_questions]
-- type = "integer"
-- default = 20
-- doc = "So many questions of a machine are medium, whatever they are about."
-- [parameters.gap]
-- type = "duration"
-- default = "1m"
-- doc = "A pause longer than this begins a new burst."
SELECT
    stage_timestamp,
    CASE
        WHEN actor_kind IN ('serviceaccount', 'node', 'anonymous') AND (sensitive_denied > 0 OR questions >= $many_questions)
            THEN 'medium'
        ELSE 'low'
    END AS severity,
    actor,
    actor_kind,
    principal,
    questions,
    requests,
    sensitive,
    sensitive_denied,
    asked,
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
        coalesce(nullif(count(DISTINCT question), 0), count(*)) AS questions,
        count(*) AS requests,
        count(DISTINCT CASE WHEN is_sensitive THEN question END) AS sensitive,
        -- An operator asks for what it needs and has; the answer is unknown below level RequestResponse.
        count(DISTINCT CASE WHEN is_sensitive AND (allowed = 'true') IS NOT TRUE THEN question END) AS sensitive_denied,
        left(array_to_string(array_agg(DISTINCT question ORDER BY question), ', '), 500) AS asked,
        min(stage_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen,
        client_ip,
        peer_ip,
        user_agent
    FROM (
        SELECT
            paced.*,
            regexp_like(
                question,
                '^\*| (?:\*|secrets|nodes/proxy|pods/exec|pods/attach|serviceaccounts/token|(?:cluster)?role(?:binding)?s|users|groups)(?: |$)'
            ) AS is_sensitive,
            count(CASE WHEN idle_ms IS NULL OR idle_ms > $gap THEN 1 END) OVER (
                PARTITION BY cluster, principal, actor, client_ip, peer_ip, user_agent
                ORDER BY stage_timestamp, audit_id, source_file, source_offset
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS burst
        FROM (
            SELECT
                cluster, stage_timestamp, actor, actor_kind, principal, client_ip, peer_ip, user_agent, audit_id,
                source_file, source_offset,
                CASE
                    WHEN body_text(request_object, 'spec.resourceAttributes') IS NOT NULL THEN
                        coalesce(body_text(request_object, 'spec.resourceAttributes.verb'), '*') || ' '
                        || coalesce(body_text(request_object, 'spec.resourceAttributes.resource'), '*')
                        || coalesce('/' || body_text(request_object, 'spec.resourceAttributes.subresource'), '')
                        || coalesce(' in ' || body_text(request_object, 'spec.resourceAttributes.namespace'), '')
                    ELSE
                        body_text(request_object, 'spec.nonResourceAttributes.verb') || ' '
                        || body_text(request_object, 'spec.nonResourceAttributes.path')
                END AS question,
                CASE WHEN body_kind(response_object) = 'SelfSubjectAccessReview' THEN body_text(response_object, 'status.allowed') END AS allowed,
                CAST(
                    CAST(stage_timestamp AS BIGINT) - CAST(lag(stage_timestamp) OVER (
                        PARTITION BY cluster, principal, actor, client_ip, peer_ip, user_agent
                        ORDER BY stage_timestamp, audit_id, source_file, source_offset
                    ) AS BIGINT) AS DOUBLE
                ) / 1000 AS idle_ms
            FROM write_requests
            WHERE verb = 'create'
              AND resource = 'selfsubjectaccessreviews'
              AND api_group IN ('authorization.k8s.io', 'authorization.openshift.io')
              AND NOT listed('system_principals', principal)
              AND NOT listed('expected', principal, 'recon', namespace)
        ) AS paced
    ) AS bursts
    GROUP BY cluster, actor, actor_kind, principal, client_ip, peer_ip, user_agent, burst
) AS counted
WHERE questions >= $min_questions
ORDER BY first_seen, actor, user_agent, peer_ip, client_ip
