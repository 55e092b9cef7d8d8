-- title = "Admission webhook outside the cluster"
-- question = "Which admission webhooks send requests to a URL instead of a service of the cluster?"
-- description = """
-- Mutating and validating webhooks whose clientConfig has a url: every request that matches their rules goes
-- there, with its objects, and a mutating one can change it. One row per webhook with a URL in a write of its
-- configuration; a patch of something else is left out. outcome is succeeded, refused (the attempt is one step
-- less severe), failed, dry run, or unknown. Requests of the control plane and of principals in the list expected
-- (activity webhooks) are left out."""
-- severity = "high"
-- level = "Request"
-- controls = ["SOC 2 CC6.6", "NIST SC-7", "NIST CM-3"]
-- attack = ["T1546", "T1567"]
-- differs = "No other rule set looks at where a webhook is."
-- false_positives = "Managed clusters that serve webhooks from their control plane, and test clusters that serve them from a developer's machine."
-- limits = "At level Metadata the log does not show webhooks. A service of type ExternalName, or one with foreign endpoints, leaves the cluster, too, and has no row here."
-- tuning = "Add managed agents to expected with activity webhooks."
-- triage = ["object-history resource={resource} name={name}", "principal-timeline principal={principal}"]
-- tables = ["system_principals", "expected"]
-- message = "{actor}: {operation} {resource} {name}: webhook [{webhook}|without a name] calls {url} ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "resource", "name", "webhook", "url"]
-- columns.detail = ["failure_policy", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "mutatingwebhookconfigurations.admissionregistration.k8s.io",
--     "validatingwebhookconfigurations.admissionregistration.k8s.io",
-- ]
-- level = "Request"
-- columns = ["response_code", "request_object"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    stage_timestamp,
    graded('high', outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    webhook,
    url,
    failure_policy,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        parts.*,
        coalesce(body_text(part, 'name'), body_text(part, 'value.name')) AS webhook,
        coalesce(
            body_text(part, 'clientConfig.url'),
            body_text(part, 'value.clientConfig.url'),
            -- A JSON patch of the inside of one webhook.
            CASE
                WHEN body_text(part, 'path') LIKE '%/clientConfig' THEN body_text(part, 'value.url')
                WHEN body_text(part, 'path') LIKE '%/clientConfig/url' THEN body_text(part, 'value')
            END
        ) AS url,
        coalesce(body_text(part, 'failurePolicy'), body_text(part, 'value.failurePolicy')) AS failure_policy
    FROM (
        SELECT
            write_requests.*,
            -- A JSON patch is a list of operations; everything else has a list of webhooks.
            unnest(coalesce(json_elements(body_text(object, 'webhooks')), json_elements(object))) AS part
        FROM write_requests
        WHERE api_group = 'admissionregistration.k8s.io'
          AND resource IN ('mutatingwebhookconfigurations', 'validatingwebhookconfigurations')
          AND subresource = ''
          AND operation IN ('create', 'update', 'patch')
          -- A patch of something else; a word may be written with escapes.
          AND (verb <> 'patch' OR request_object IS NULL OR request_object LIKE '%url%' OR contains(request_object, '\u'))
    ) AS parts
) AS webhooks
WHERE url <> ''
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'webhooks', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, webhook, url, audit_id
