-- title = "What changed before"
-- question = "What changed just before it broke?"
-- description = """
-- Successful changes in the time before at, the latest first: one row per object, principal and
-- operation, with the number of writes and how long before at the last one was. Objects without a
-- namespace (nodes, webhooks, cluster roles) are included, whatever the namespace. Left out are
-- writes that change no configuration (status, events, leases, endpoints, tokens, access reviews)
-- and, unless controllers is true, those of the control plane, nodes and controllers."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 CC7.4", "SOC 2 CC8.1", "NIST CM-3"]
-- attack = []
-- false_positives = "None: this is an inventory; most changes break nothing."
-- limits = "Changes outside the cluster (cloud, DNS, registries) are not in this log, nor those that the audit policy leaves out. For the fields that changed, see field-changes."
-- message = "{minutes_before} min before: {principal} {operation} {resource}[/{subresource}][ in {namespace}][, {name}]"
-- columns.key = ["principal", "operation", "api_group", "resource", "subresource", "namespace", "name"]
-- columns.detail = ["minutes_before", "writes", "peer_ip", "user_agent"]
-- tables = ["system_principals"]
-- triage = [
--     "field-changes resource={resource} namespace={namespace} name={name}", "sessions principal={principal}",
-- ]
-- tuning = "Set at to the time of the first error, and before to how far you want to look back. Name GitOps and CI in ignored_actors, if they hide the rest."
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
-- [parameters.at]
-- type = "timestamp"
-- doc = "When it broke; by default the end of the log."
-- [parameters.before]
-- type = "duration"
-- default = "1h"
-- doc = "How long before to look."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only changes in this namespace, and of objects without one."
-- [parameters.controllers]
-- type = "boolean"
-- default = false
-- doc = "Also changes by the control plane, nodes and controllers."
-- [parameters.ignored_actors]
-- type = "strings"
-- doc = "Leave out changes by these actors or principals."
WITH moment AS (
    SELECT max(stage_timestamp) AS ended_at
    FROM requests
),
changes AS (
    SELECT
        object_writes.cluster, object_writes.stage_timestamp, object_writes.audit_id, object_writes.actor,
        object_writes.principal, object_writes.operation, object_writes.api_group, object_writes.resource,
        object_writes.subresource, object_writes.namespace, object_writes.object_name, object_writes.response_code,
        object_writes.client_ip, object_writes.peer_ip, object_writes.user_agent, object_writes.source_file,
        object_writes.source_line, object_writes.source_offset,
        (CAST(coalesce($at, moment.ended_at) AS BIGINT) - CAST(object_writes.stage_timestamp AS BIGINT)) / 60000000.0 AS minutes_before
    FROM object_writes
    CROSS JOIN moment
    WHERE object_writes.write_kind NOT IN ('status', 'review', 'token')
      AND NOT (object_writes.resource = 'events' AND object_writes.api_group IN ('', 'events.k8s.io'))
      AND NOT (object_writes.resource = 'leases' AND object_writes.api_group = 'coordination.k8s.io')
      AND object_writes.resource NOT IN ('endpoints', 'endpointslices')
      AND ($namespace IS NULL OR object_writes.namespace IN ('', $namespace))
      AND ($controllers OR NOT listed('system_principals', object_writes.principal))
      AND (object_writes.actor = ANY($ignored_actors) OR object_writes.principal = ANY($ignored_actors)) IS NOT TRUE
      AND object_writes.stage_timestamp <= coalesce($at, moment.ended_at)
      AND CAST(object_writes.stage_timestamp AS BIGINT) >= CAST(coalesce($at, moment.ended_at) AS BIGINT) - $before * 1000
)
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'info' AS severity,
    round(min(minutes_before), 1) AS minutes_before,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    operation,
    api_group,
    resource,
    subresource,
    namespace,
    object_name AS name,
    count(*) AS writes,
    min(stage_timestamp) AS first_seen,
    max(response_code) AS response_code,
    max(client_ip) AS client_ip,
    max(peer_ip) AS peer_ip,
    max(user_agent) AS user_agent,
    last_value(audit_id ORDER BY stage_timestamp, audit_id) AS audit_id,
    last_value(source_file ORDER BY stage_timestamp, audit_id) AS source_file,
    last_value(source_line ORDER BY stage_timestamp, audit_id) AS source_line
FROM changes
GROUP BY cluster, principal, actor, operation, api_group, resource, subresource, namespace, object_name
ORDER BY stage_timestamp DESC, principal, operation, api_group, resource, subresource, namespace, name, audit_id
