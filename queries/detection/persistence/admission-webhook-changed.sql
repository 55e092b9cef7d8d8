-- title = "Admission webhook changed"
-- question = "Who added, changed or removed admission webhooks?"
-- description = """
-- Writes of mutating and validating webhook configurations, deletes included. change says what is known to have
-- changed: created, deleted, webhooks, 'CA or metadata' (info: the webhooks are otherwise as they were), or
-- unknown. An update by a service account of webhooks that are all served from its own namespace is low: operators
-- renew their own. endpoint is the first webhook's service or URL. outcome is succeeded, refused (the attempt is
-- one step less severe), failed, dry run, or unknown. Requests of the control plane and of principals in the list
-- expected (activity webhooks) are left out."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["CIS 5.6", "SOC 2 CC8.1", "NIST CM-3", "NIST CM-6"]
-- attack = ["T1546", "T1562.001"]
-- covers = [
--     "Sigma: Kubernetes Admission Controller Modification",
--     "Elastic: Kubernetes Admission Webhook Created or Modified",
--     "Panther: Kubernetes Admission Controller Created", "Google SCC: malicious webhook configuration",
--     "Defender: admission webhook configuration", "Microsoft threat matrix: Malicious admission controller",
-- ]
-- differs = "Sigma's list of verbs has replace, which audit logs do not have. The others report each renewal of a CA; here it is info."
-- false_positives = "Installation and upgrade of policy engines, service meshes and operators by people."
-- limits = "At level Metadata, and for the first write that the log has of a configuration, the log does not tell a new CA from another change."
-- tuning = "Add operators that manage webhooks to expected with activity webhooks."
-- triage = [
--     "field-changes resource={resource} name={name}", "principal-timeline principal={principal}",
--     "object-history resource={resource} name={name}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor}: {operation} {resource} [{name}|without a name] ({outcome}[, {change}])[, calls {endpoint}]"
-- columns.key = ["actor", "principal", "outcome", "operation", "resource", "name", "change"]
-- columns.detail = ["change", "webhooks", "endpoint", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = [
--     "mutatingwebhookconfigurations.admissionregistration.k8s.io",
--     "validatingwebhookconfigurations.admissionregistration.k8s.io",
-- ]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    stage_timestamp,
    graded(
        CASE
            WHEN change = 'CA or metadata' THEN 'info'
            WHEN operation IN ('update', 'patch') AND own_namespace AND actor = principal THEN 'low'
            ELSE 'medium'
        END,
        outcome
    ) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    change,
    webhooks,
    endpoint,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        written.*,
        CASE
            WHEN operation = 'create' THEN 'created'
            WHEN operation IN ('delete', 'deletecollection') THEN 'deleted'
            -- A JSON patch that sets nothing but CAs.
            WHEN regexp_like(
                request_object,
                '^\[(\{"op":"(add|replace)","path":"/webhooks/[0-9]+/clientConfig/caBundle","value":"[A-Za-z0-9+/=]*"\},?)+\]$'
            ) THEN 'CA or metadata'
            -- A merge patch that does not name the webhooks.
            WHEN verb = 'patch' AND request_object LIKE '{%' AND body_kind(request_object) IS NULL
                AND body_text(request_object, 'webhooks') IS NULL THEN 'CA or metadata'
            WHEN hooks IS NULL OR hooks_before IS NULL THEN 'unknown'
            WHEN regexp_replace(hooks, '"caBundle":"[A-Za-z0-9+/=]*",?', '', 'g')
                = regexp_replace(hooks_before, '"caBundle":"[A-Za-z0-9+/=]*",?', '', 'g') THEN 'CA or metadata'
            ELSE 'webhooks'
        END AS change,
        CAST(array_length(json_elements(hooks)) AS BIGINT) AS webhooks,
        coalesce(
            body_text(json_elements(hooks)[1], 'clientConfig.url'),
            body_text(json_elements(hooks)[1], 'clientConfig.service.namespace') || '/'
                || body_text(json_elements(hooks)[1], 'clientConfig.service.name')
        ) AS endpoint,
        -- Each webhook has one clientConfig, and each of them a service of the actor's namespace.
        coalesce(
            hooks NOT LIKE '%"url":%' AND hooks LIKE '%"service":%'
            AND array_length(json_elements(hooks))
                = regexp_count(hooks, concat('"service":\{"namespace":"', service_account_namespace, '"')),
            false
        ) AS own_namespace
    FROM (
        SELECT
            of_webhooks.*,
            lag(CASE WHEN outcome = 'succeeded' THEN hooks END) IGNORE NULLS OVER (
                PARTITION BY cluster, resource, name
                ORDER BY stage_timestamp, request_received_timestamp, audit_id, source_file, source_offset
            ) AS hooks_before
        FROM (
            SELECT write_requests.*, body_text(object, 'webhooks') AS hooks
            FROM write_requests
            WHERE api_group = 'admissionregistration.k8s.io'
              AND resource IN ('mutatingwebhookconfigurations', 'validatingwebhookconfigurations')
              AND subresource = ''
        ) AS of_webhooks
    ) AS written
) AS changes
WHERE NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'webhooks', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
