-- title = "Field managers"
-- question = "Which field managers write which resources, and who forces conflicts?"
-- description = """
-- Writes by resource, field manager and actor, with how many were server-side applies, and how many
-- of these forced: took fields over from another manager. manager is what the client named in the
-- request (fieldManager), or NULL: then it is the user agent up to the first slash."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["NIST CM-3"]
-- attack = []
-- false_positives = "None: this is an inventory."
-- limits = "Envelopes without the request URI do not show managers. Which fields each one owns is in the objects (managedFields), not here."
-- message = "[{manager}|no manager named] ({actor}) writes {target}: {writes} writes, {applies} applies, {forced} forced"
-- columns.key = ["manager", "actor", "api_group", "resource", "subresource"]
-- columns.detail = ["writes", "applies", "forced", "objects", "last_seen"]
-- triage = ["writer-fights", "field-changes resource={resource}", "etcd-writers"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
-- columns = ["request_uri"]
-- [parameters.resource]
-- type = "string"
-- doc = "Only this resource."
SELECT
    query_param(request_uri, 'fieldManager') AS manager,
    actor,
    actor_kind,
    api_group,
    resource,
    subresource,
    concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')) AS target,
    count(*) AS writes,
    count(*) FILTER (WHERE verb = 'patch' AND query_param(request_uri, 'force') IS NOT NULL) AS applies,
    count(*) FILTER (WHERE verb = 'patch' AND lower(query_param(request_uri, 'force')) IN ('true', '1')) AS forced,
    count(DISTINCT concat_ws('/', namespace, object_name)) AS objects,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM object_writes
WHERE write_kind NOT IN ('review', 'token')
  AND request_uri IS NOT NULL
  AND ($resource IS NULL OR resource = $resource)
GROUP BY manager, actor, actor_kind, api_group, resource, subresource
ORDER BY writes DESC, manager, actor, api_group, resource, subresource
