-- title = "CustomResourceDefinition created or changed"
-- question = "Who changed which kinds of objects the cluster has?"
-- description = """
-- Creates (server-side apply included), updates and patches of CustomResourceDefinitions. conversion is where a
-- conversion webhook is: it sees every object of that kind. A refused attempt, a failed one and a dry run have a
-- row, too, one step less severe: see outcome. Requests of the control plane and of principals in the list
-- expected (activity crds) are left out."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["NIST CM-3", "SOC 2 CC8.1"]
-- attack = ["T1546"]
-- false_positives = "Installation and upgrade of operators."
-- limits = "At level Metadata the log does not show what changed."
-- tuning = "Add what is meant to do this to expected with activity crds."
-- triage = [
--     "field-changes resource={resource} name={name}", "object-history resource={resource} name={name}",
--     "principal-timeline principal={principal}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor}: {operation} CustomResourceDefinition [{name}|without a name][, conversion by {conversion}] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "name"]
-- columns.detail = ["conversion", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["customresourcedefinitions.apiextensions.k8s.io"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    stage_timestamp,
    graded('low', outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    coalesce(
        body_text(object, 'spec.conversion.webhook.clientConfig.url'),
        body_text(object, 'spec.conversion.webhook.clientConfig.service.namespace') || '/'
            || body_text(object, 'spec.conversion.webhook.clientConfig.service.name')
    ) AS conversion,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE api_group = 'apiextensions.k8s.io'
  AND resource = 'customresourcedefinitions'
  AND subresource = ''
  AND operation IN ('create', 'update', 'patch')
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'crds', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
