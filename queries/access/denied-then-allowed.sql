-- title = "Denied, then allowed"
-- question = "What was denied first and allowed later, and what changed in between?"
-- description = """
-- A row for each kind of request that an actor was refused and then, for the first time in the log,
-- was allowed. Refusals by authorization are compared by actor, verb, resource, subresource and
-- namespace (or path). changed_by is whoever wrote, in between, the binding or the role that allowed
-- the request; where nobody did, the row stays, and what changed is not in the log (a group, another
-- cluster's identity provider, an access policy of the cloud). Refusals by admission (Pod Security,
-- webhooks, policies, quotas and limit ranges) have a row only if what refused was changed in
-- between: the labels of the namespace, a webhook or policy, a quota. It is worse if they changed it
-- themselves: high for rights, medium for Pod Security, webhooks and policies."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 CC6.3", "NIST AC-6", "NIST SI-4", "PCI-DSS 10.2.1.5"]
-- attack = ["T1098.006", "T1562.001"]
-- false_positives = "Somebody asks for a right that they need, gets it, and uses it. A role that names its objects (resourceNames) allows one and refuses another."
-- limits = "Only the first time that a request is allowed counts, and only if the log has no earlier one. For admission the log shows that the guard was changed, not that this change let the request through. At level Metadata a namespace counts as changed whatever was changed in it."
-- message = "{actor} was refused {verb}[ {resource}| {path}][/{subresource}][ in {namespace}] ({cause}), and allowed later[: {changed_by} changed {changed}]"
-- columns.key = ["actor", "principal", "cause", "verb", "api_group", "resource", "subresource", "namespace", "path"]
-- columns.detail = ["denials", "first_denied_at", "allowed_by", "changed_at", "peer_ip"]
-- tables = ["expected", "system_principals"]
-- triage = [
--     "principal-timeline principal={changed_by}", "rbac-changes actor={changed_by}", "principal-timeline principal={principal}",
-- ]
-- tuning = "Give actor to follow one account. Machines that probe their own rights belong into the list expected (activity recon)."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["authz_decision"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only requests in this namespace."
-- [parameters.within]
-- type = "duration"
-- default = "30d"
-- doc = "Only requests that were allowed at most this long after the first refusal."
WITH refused AS (
    SELECT
        cluster, actor, cause, verb, api_group, resource, subresource, namespace,
        CASE WHEN resource IS NULL THEN split_part(request_uri, '?', 1) END AS path,
        cause_name,
        count(*) AS denials,
        min(stage_timestamp) AS first_denied_at
    FROM denials
    WHERE cause IN (
            'authorization', 'webhook', 'webhook-unreachable', 'policy', 'pod-security', 'quota', 'limit-range'
        )
      AND actor IS NOT NULL
      AND NOT listed('system_principals', actor)
      AND NOT listed('expected', principal, 'recon', namespace)
      AND ($actor IS NULL OR $actor IN (actor, principal))
      AND ($namespace IS NULL OR namespace = $namespace)
    GROUP BY cluster, actor, cause, verb, api_group, resource, subresource, namespace, path, cause_name
),
candidates AS (
    SELECT
        requests.stage_timestamp, requests.audit_id, requests.actor, requests.principal, requests.cluster, requests.verb,
        requests.api_group, requests.resource, requests.subresource, requests.namespace, requests.object_name,
        requests.binding_kind, requests.binding_namespace, requests.binding_name, requests.role_kind, requests.role_name,
        requests.authz_reason, requests.response_code, requests.client_ip, requests.peer_ip, requests.user_agent,
        requests.source_file, requests.source_line, requests.source_offset,
        refused.cause, refused.cause_name, refused.path, refused.denials, refused.first_denied_at
    FROM requests
    JOIN refused
        ON requests.cluster IS NOT DISTINCT FROM refused.cluster
        AND requests.actor = refused.actor
        AND requests.verb = refused.verb
        AND coalesce(requests.resource, split_part(requests.request_uri, '?', 1)) = coalesce(refused.resource, refused.path)
        AND coalesce(requests.api_group, '') = coalesce(refused.api_group, '')
        AND coalesce(requests.subresource, '') = coalesce(refused.subresource, '')
        AND coalesce(requests.namespace, '') = coalesce(refused.namespace, '')
    WHERE requests.authz_decision = 'allow'
      AND (refused.cause = 'authorization' OR outcome(requests.response_code, requests.dry_run) = 'succeeded')
),
allowed AS (
    SELECT candidates.*
    FROM candidates
    -- The first request that was allowed after a refusal; for authorization, the first at all.
    WHERE stage_timestamp > first_denied_at OR cause = 'authorization'
    QUALIFY row_number() OVER (
            PARTITION BY cluster, actor, cause, cause_name, verb, api_group, resource, subresource, namespace, path
            ORDER BY stage_timestamp, source_file, source_offset, audit_id
        ) = 1
        AND stage_timestamp > first_denied_at
        AND CAST(stage_timestamp AS BIGINT) - CAST(first_denied_at AS BIGINT) <= $within * 1000
),
changes AS (
    SELECT
        cluster, stage_timestamp, principal, 'authorization' AS guard,
        concat_ws(' ', operation, object_kind, concat_ws('/', nullif(namespace, ''), object_name)) AS changed,
        object_kind AS kind, namespace, object_name
    FROM rbac_changes
    UNION ALL
    SELECT
        cluster, stage_timestamp, principal,
        CASE
            WHEN resource = 'namespaces' THEN 'pod-security'
            WHEN resource = 'resourcequotas' THEN 'quota'
            WHEN resource = 'limitranges' THEN 'limit-range'
            WHEN resource LIKE '%webhookconfigurations' THEN 'webhook'
            ELSE 'policy'
        END AS guard,
        concat_ws(' ', operation, resource, concat_ws('/', CASE WHEN resource <> 'namespaces' THEN nullif(namespace, '') END, object_name)) AS changed,
        resource AS kind,
        CASE WHEN resource IN ('namespaces', 'resourcequotas', 'limitranges') THEN namespace ELSE '' END AS namespace,
        object_name
    FROM object_writes
    WHERE (
            subresource = '' AND (
                api_group = '' AND resource IN ('namespaces', 'resourcequotas', 'limitranges') AND operation <> 'create'
                OR api_group IN ('admissionregistration.k8s.io', 'constraints.gatekeeper.sh', 'templates.gatekeeper.sh', 'kyverno.io',
                    'policies.kyverno.io', 'policies.kubewarden.io')
            )
        )
      AND NOT listed('system_principals', principal)
),
linked AS (
    SELECT
        allowed.*,
        changes.stage_timestamp AS changed_at,
        changes.principal AS changed_by,
        changes.changed
    FROM allowed
    LEFT JOIN changes
        ON allowed.cluster IS NOT DISTINCT FROM changes.cluster
        AND changes.stage_timestamp > allowed.first_denied_at
        AND changes.stage_timestamp <= allowed.stage_timestamp
        AND CASE WHEN allowed.cause = 'webhook-unreachable' THEN 'webhook' ELSE allowed.cause END = changes.guard
        AND CASE changes.guard
            WHEN 'authorization' THEN
                changes.kind = allowed.binding_kind AND changes.object_name = allowed.binding_name
                    AND changes.namespace = coalesce(allowed.binding_namespace, '')
                OR changes.kind = allowed.role_kind AND changes.object_name = allowed.role_name
                    AND changes.namespace = CASE WHEN allowed.role_kind = 'Role' THEN coalesce(allowed.binding_namespace, '') ELSE '' END
            WHEN 'webhook' THEN true
            WHEN 'policy' THEN true
            ELSE changes.namespace = allowed.namespace
        END
)
SELECT
    stage_timestamp,
    CASE
        WHEN changed_by IS NULL THEN 'info'
        WHEN changed_by = principal AND cause = 'authorization' THEN 'high'
        WHEN changed_by = principal AND cause NOT IN ('quota', 'limit-range') THEN 'medium'
        ELSE 'low'
    END AS severity,
    actor,
    principal,
    nullif(actor, principal) AS acted_as,
    cause,
    cause_name,
    verb,
    api_group,
    resource,
    subresource,
    namespace,
    object_name AS name,
    path,
    denials,
    first_denied_at,
    stage_timestamp AS allowed_at,
    authz_reason AS allowed_by,
    changed_at,
    changed_by,
    changed,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM linked
WHERE cause = 'authorization' OR changed IS NOT NULL
-- The last change before it was allowed.
QUALIFY row_number() OVER (
    PARTITION BY cluster, actor, cause, cause_name, verb, api_group, resource, subresource, namespace, path
    ORDER BY changed_at DESC NULLS LAST, changed, changed_by
) = 1
ORDER BY stage_timestamp, source_file, source_offset, audit_id, cause
