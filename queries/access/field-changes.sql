-- title = "Field changes"
-- question = "Who changed this object, which field, from what to what?"
-- description = """
-- One row per field that a successful write changed, with its value before and after. A create, a
-- delete, and a write whose content the log does not show have one row without a field. Lists of
-- named objects are compared by name: spec.containers[name=app].image. basis says how sure it is.
-- exact: the write was based on the version that the log shows before it. last seen: the log shows
-- an earlier version, and what other writes changed in between (unseen_writes) looks as if this one
-- had. named: a patch at level Request, which shows what it sets, not what was there before. created
-- and deleted. unknown: the log does not show the content, and unknown_because says why. Fields
-- that the apiserver and controllers keep up to date are left out, see ignored_fields; so are
-- writes by the control plane, unless name is given or controllers is true."""
-- severity = "info"
-- level = "Request"
-- controls = ["SOC 2 CC8.1", "NIST CM-3", "NIST CM-5", "PCI-DSS 6.5.1", "ISO 27001 A.8.32"]
-- attack = []
-- false_positives = "None: this is an inventory."
-- limits = "The first write of an object that the log shows as a whole has no version before it to compare with, unless it is a create. At level Request versions are those that clients sent, without defaults and what admission adds. A JSON patch at level Request is shown as its operations. Values of secrets are shown if the audit policy records them."
-- message = "{principal}[ as {acted_as}]: {operation} {resource}[ in {namespace}][, {name}][: {field}]"
-- columns.key = ["principal", "actor", "operation", "api_group", "resource", "subresource", "namespace", "name", "field"]
-- columns.detail = ["before", "after", "basis", "user_agent"]
-- tables = ["system_principals"]
-- triage = [
--     "object-history resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}",
-- ]
-- tuning = "Give ignored_fields and ignored_resources lists of your own; an empty one hides nothing."
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["*"]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.resource]
-- type = "string"
-- doc = "Only this resource, such as deployments or deployments.apps."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
-- [parameters.name]
-- type = "string"
-- doc = "Only the object of this name."
-- [parameters.actor]
-- type = "string"
-- doc = "Only writes by this actor or principal."
-- [parameters.field]
-- type = "string"
-- doc = "Only fields whose path holds this text, such as image or spec.replicas."
-- [parameters.ignored_fields]
-- type = "strings"
-- default = [
--     "status", "metadata.managedFields", "metadata.resourceVersion", "metadata.generation", "metadata.uid",
--     "metadata.creationTimestamp", "metadata.selfLink",
--     'metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]',
-- ]
-- doc = "Leave out these fields and all below them: exact paths, or up to three names such as spec.template.spec."
-- [parameters.ignored_resources]
-- type = "strings"
-- default = ["leases", "events", "endpoints", "endpointslices"]
-- doc = "Leave out these resources."
-- [parameters.controllers]
-- type = "boolean"
-- default = false
-- doc = "Also without name: writes by controllers, kubelets and the rest of the control plane."
WITH versions AS (
    SELECT
        stage_timestamp, audit_id, actor, principal, operation, write_kind, api_group, resource, subresource, namespace,
        object_name, response_code, before_source, after_source, after_unknown, unseen_writes, client_ip, peer_ip,
        user_agent, source_file, source_line, source_offset,
        CASE
            WHEN operation IN ('delete', 'deletecollection') OR write_kind IN ('binding', 'eviction') THEN NULL
            -- What a patch sets; before it can be anything.
            WHEN after_unknown = 'patch' THEN
                json_diff(
                    CASE
                        WHEN ltrim(request_object) LIKE '[%' THEN '[]'
                        -- null removes a field, and is no difference from nothing: show the whole.
                        WHEN regexp_like(request_object, ':\s*null') THEN '{}'
                        ELSE '{"data":{},"metadata":{"annotations":{},"labels":{}},"spec":{"template":{"metadata":{},"spec":{}}}}'
                    END,
                    request_object
                )
            ELSE json_diff(before, after)
        END AS changes
    FROM object_versions
    WHERE (resource = ANY($ignored_resources)) IS NOT TRUE
      AND ($resource IS NULL OR resource = $resource OR resource || '.' || api_group = $resource)
      AND ($name IS NULL OR object_name = $name)
      AND (
          $namespace IS NULL
          OR namespace = $namespace
          OR resource = 'namespaces' AND api_group = '' AND object_name = $namespace
      )
      AND ($actor IS NULL OR $actor IN (actor, principal))
      AND ($controllers OR $name IS NOT NULL OR NOT listed('system_principals', principal))
),
fields AS (
    SELECT
        versions.*,
        -- A write without a comparison has one row, without a field; one that changed nothing has none.
        changes IS NULL AS incomparable,
        unnest(CASE WHEN changes IS NULL THEN json_diff('{}', '{"?":1}') ELSE changes END) AS change
    FROM versions
)
SELECT
    stage_timestamp,
    'info' AS severity,
    actor,
    principal,
    nullif(actor, principal) AS acted_as,
    operation,
    api_group,
    resource,
    subresource,
    namespace,
    object_name AS name,
    CASE WHEN NOT incomparable THEN change['path'] END AS field,
    CASE WHEN NOT incomparable THEN change['before'] END AS before,
    CASE WHEN NOT incomparable THEN change['after'] END AS after,
    CASE
        WHEN operation IN ('delete', 'deletecollection') THEN 'deleted'
        WHEN operation = 'create' AND write_kind = 'object' THEN 'created'
        WHEN after_unknown = 'patch' AND NOT incomparable THEN 'named'
        WHEN incomparable THEN 'unknown'
        ELSE before_source
    END AS basis,
    CASE
        WHEN NOT incomparable OR operation IN ('delete', 'deletecollection', 'create') THEN NULL
        WHEN after_unknown = 'level' THEN 'bodies were not recorded'
        WHEN after_unknown = 'truncated' THEN 'bodies were too long'
        WHEN after_unknown = 'answer' THEN 'the response is not the object'
        WHEN after_unknown IS NOT NULL THEN after_unknown
        WHEN write_kind IN ('binding', 'eviction', 'subresource') THEN 'a ' || write_kind
        ELSE 'no version before'
    END AS unknown_because,
    unseen_writes,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM fields
WHERE (
        incomparable
            AND $field IS NULL
            AND NOT (write_kind = 'status' AND coalesce(array_has($ignored_fields, 'status'), false))
        OR NOT incomparable
            AND (after_unknown IS DISTINCT FROM 'patch' OR change['after'] IS NOT NULL)
            AND ($field IS NULL OR strpos(change['path'], $field) > 0)
            AND NOT coalesce(array_has($ignored_fields, change['path']), false)
            -- A field below an ignored one goes on with a dot or a bracket.
            AND NOT coalesce(
                array_has($ignored_fields, split_part(change['path'], '.', 1))
                OR array_has($ignored_fields, regexp_match(change['path'], '^([^.\[]+)')[1])
                OR array_has($ignored_fields, regexp_match(change['path'], '^([^.\[]+\.[^.\[]+)')[1])
                OR array_has($ignored_fields, regexp_match(change['path'], '^([^.\[]+\.[^.\[]+\.[^.\[]+)')[1]),
                false
            )
    )
ORDER BY stage_timestamp, source_file, source_offset, field, audit_id
