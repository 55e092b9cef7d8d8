-- title = "Refused creations"
-- question = "Who tried to create what they may not?"
-- description = """
-- Creations that the authorizer refused, by principal, resource and namespace. severity is medium for
-- what gives power or runs code (roles and bindings, webhooks, certificates, tokens, exec, nodes,
-- workloads in system namespaces) and for principals refused at least min_kinds different resources; else
-- low, also for what looks like an operator with too small a role. A refusal by admission is not here: see denied-requests."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.4", "SOC 2 CC6.1", "NIST AC-3"]
-- attack = ["T1613", "T1610"]
-- false_positives = "Pipelines whose role lags behind, and agents without a permission that they want, such as leases."
-- tuning = "Raise min_kinds; leave actors out with ignored_actors."
-- limits = "Includes only requests that reached authorization. exec by WebSocket is verb get: see exec-denied."
-- message = "{principal} was refused to create {resource}[/{subresource}][ in {namespace}] ({attempts}×)"
-- triage = ["denied-requests actor={principal}", "principal-timeline principal={principal}", "sessions principal={principal}"]
-- covers = ["Elastic: Kubernetes Forbidden Creation Request", "Elastic: AWS EKS Forbidden Creation Request", "Splunk: Kubernetes Unauthorized Access"]
-- differs = "Grouped, with a severity by what was to be created."
-- tables = ["system_principals", "system_namespaces"]
-- columns.key = ["principal", "api_group", "resource", "subresource", "namespace"]
-- columns.detail = ["names", "peer_ips", "user_agents"]
-- [[needs]]
-- verbs = ["create"]
-- resources = ["*"]
-- columns = ["authz_decision"]
-- [parameters.min_kinds]
-- type = "integer"
-- default = 4
-- doc = "If a principal was refused at least this many different resources, each refusal is medium."
-- [parameters.ignored_actors]
-- type = "strings"
-- doc = "Leave out requests by these actors or principals."
SELECT
    first_seen,
    last_seen,
    CASE
        WHEN hands_on THEN 'medium'
        WHEN operatorlike THEN 'low'
        WHEN powerful OR array_length(array_distinct(array_agg(concat(api_group, resource, subresource)) OVER (PARTITION BY principal))) >= $min_kinds
            THEN 'medium'
        ELSE 'low'
    END AS severity,
    'refused' AS outcome,
    principal,
    api_group,
    resource,
    subresource,
    namespace,
    attempts,
    names,
    peer_ips,
    user_agents
FROM (
    SELECT
        min(stage_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen,
        (
            api_group IN ('rbac.authorization.k8s.io', 'admissionregistration.k8s.io', 'certificates.k8s.io', 'apiregistration.k8s.io')
            OR (api_group IN ('apps', 'batch') OR resource IN ('pods', 'secrets')) AND listed('system_namespaces', namespace)
        ) AS powerful,
        (
            api_group = '' AND (
                resource = 'serviceaccounts' AND subresource = 'token'
                OR resource = 'pods' AND subresource IN ('exec', 'attach', 'portforward', 'binding')
                OR resource IN ('nodes', 'bindings')
                OR resource = 'services' AND subresource = 'proxy'
            )
        ) AS hands_on,
        bool_and((
            actor_kind = 'serviceaccount'
            AND impersonated_username IS NULL
            AND (pod_name IS NOT NULL OR credential_id IS NULL AND annotations['authentication.k8s.io/legacy-token'] IS NULL)
            AND NOT regexp_like(coalesce(user_agent, ''), '^$|^(?:kubectl|oc|curl|wget|python|k9s|websocat)', 'i')
        )) AS operatorlike,
        principal,
        api_group,
        resource,
        subresource,
        namespace,
        count(*) AS attempts,
        array_agg(DISTINCT name ORDER BY name) FILTER (WHERE name <> '') AS names,
        array_agg(DISTINCT peer_ip ORDER BY peer_ip) FILTER (WHERE peer_ip IS NOT NULL) AS peer_ips,
        array_agg(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL) AS user_agents
    FROM requests
    WHERE verb = 'create'
      AND resource IS NOT NULL
      AND authz_decision = 'forbid'
      AND actor_kind IS DISTINCT FROM 'anonymous'
      -- A kubelet is refused tokens of pods that are gone.
      AND (NOT listed('system_principals', principal) OR username LIKE 'system:node:%' AND coalesce(user_agent, '') NOT LIKE 'kubelet/%')
      AND ($ignored_actors IS NULL OR (principal = ANY($ignored_actors) OR actor = ANY($ignored_actors)) IS NOT TRUE)
    GROUP BY principal, api_group, resource, subresource, namespace
) AS refused
ORDER BY first_seen, principal, api_group, resource, subresource, namespace
