-- title = "Still there"
-- question = "What did somebody create that is still there?"
-- description = """
-- Objects that a principal created, tokens that they had issued and certificates that they approved,
-- and that nothing in the log has removed since, one row each. fate is still there; perhaps deleted
-- (a later deletion of a collection may have held the object); or unknown (the log does not show
-- the name, or when a token or certificate expires). An object that was deleted, or whose namespace
-- was, has no row, nor has a token that has expired by the end of the log. With changes, objects
-- that the principal changed but did not create have rows, too. Without actor, the rows are those
-- of all people."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["NIST IR-4", "SOC 2 CC7.4", "ISO 27001 A.5.26"]
-- attack = ["T1136", "T1098", "T1053.007", "T1610"]
-- false_positives = "None: this is an inventory. Most of what people create is meant to stay."
-- limits = "What controllers made in consequence (the pods of a Deployment) belongs to them and is not included. What was deleted after the end of the log, or in ways that the audit policy leaves out, seems to be there. At level Metadata the expiry of tokens is unknown. What an exec, a port forwarding or a stolen secret left behind is not in this log."
-- message = "{principal}[ as {acted_as}] {kind} {resource}[ in {namespace}][, {name}]: {fate}"
-- columns.key = ["principal", "actor", "kind", "api_group", "resource", "namespace", "name"]
-- columns.detail = ["fate", "expires_at", "changed_later_by", "peer_ip", "user_agent"]
-- tables = ["expected", "system_principals"]
-- triage = [
--     "object-history resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}",
-- ]
-- tuning = "Name the intruder with actor, and set the time window to the incident's begin. Operators that people own belong into the list expected."
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only what this actor or principal created."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
-- [parameters.changes]
-- type = "boolean"
-- default = false
-- doc = "Also objects that were changed, not created."
WITH writes AS (
    SELECT
        cluster, stage_timestamp, audit_id, actor, principal, operation, write_kind, api_group, resource, subresource,
        CASE WHEN resource = 'namespaces' AND api_group = '' THEN '' ELSE namespace END AS object_namespace,
        object_name, namespace, response_object, client_ip, peer_ip, user_agent, source_file, source_line, source_offset
    FROM object_writes
    WHERE write_kind IN ('object', 'token', 'approval')
      AND NOT (resource = 'events' AND api_group IN ('', 'events.k8s.io'))
      AND NOT (resource = 'leases' AND api_group = 'coordination.k8s.io')
),
histories AS (
    SELECT
        writes.*,
        max(CASE WHEN operation = 'delete' AND write_kind = 'object' THEN stage_timestamp END) OVER of_object AS deleted_at,
        min(CASE WHEN operation = 'create' AND write_kind = 'object' THEN stage_timestamp END) OVER of_object AS created_at,
        last_value(CASE WHEN write_kind = 'object' THEN principal END) IGNORE NULLS OVER (
            PARTITION BY cluster, api_group, resource, object_namespace, object_name
            ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS last_writer
    FROM writes
    WINDOW of_object AS (PARTITION BY cluster, api_group, resource, object_namespace, object_name)
),
made AS (
    SELECT
        histories.*,
        CASE
            WHEN write_kind = 'token' THEN 'issued a token of'
            WHEN write_kind = 'approval' THEN 'approved the certificate of'
            WHEN operation = 'create' THEN 'created'
            ELSE 'changed'
        END AS kind,
        TRY_CAST(
            CASE WHEN write_kind = 'token' THEN body_text(response_object, 'status.expirationTimestamp') END
            AS TIMESTAMP WITH TIME ZONE
        ) AS expires_at
    FROM histories
    WHERE operation NOT IN ('delete', 'deletecollection')
      AND ($actor IS NULL OR $actor IN (actor, principal))
      AND (
          $actor IS NOT NULL
          OR principal NOT LIKE 'system:serviceaccount:%'
              AND NOT listed('system_principals', principal)
              AND NOT listed('expected', principal, 'workloads', namespace)
      )
      AND ($namespace IS NULL OR namespace = $namespace OR object_name = $namespace AND resource = 'namespaces')
      AND (
          write_kind IN ('token', 'approval')
          OR operation = 'create'
          OR $changes
      )
      AND (object_name IS NULL OR write_kind = 'token' OR deleted_at IS NULL OR stage_timestamp > deleted_at)
    -- Of the changes of one object, the first; none where they created it.
    QUALIFY kind <> 'changed'
        OR bool_or(kind = 'created') OVER (
            PARTITION BY cluster, principal, api_group, resource, object_namespace, object_name
        ) IS NOT TRUE
        AND row_number() OVER (
            PARTITION BY cluster, principal, kind, api_group, resource, object_namespace, object_name
            ORDER BY stage_timestamp, audit_id, source_file, source_offset
        ) = 1
),
collections AS (
    SELECT cluster, api_group, resource, namespace, max(stage_timestamp) AS deleted_at
    FROM object_writes
    WHERE operation = 'deletecollection' AND subresource = ''
    GROUP BY cluster, api_group, resource, namespace
),
namespaces AS (
    SELECT cluster, object_name AS namespace, max(stage_timestamp) AS deleted_at
    FROM object_writes
    WHERE operation = 'delete' AND resource = 'namespaces' AND api_group = '' AND subresource = '' AND object_name <> ''
    GROUP BY cluster, object_name
),
log_end AS (
    SELECT max(stage_timestamp) AS ended_at FROM requests
)
SELECT
    made.stage_timestamp,
    'info' AS severity,
    made.actor,
    made.principal,
    nullif(made.actor, made.principal) AS acted_as,
    made.kind,
    made.operation,
    made.api_group,
    made.resource,
    made.subresource,
    made.namespace,
    made.object_name AS name,
    CASE
        WHEN made.object_name IS NULL THEN 'unknown'
        WHEN made.write_kind IN ('token', 'approval') THEN CASE WHEN made.expires_at IS NULL THEN 'unknown' ELSE 'still there' END
        WHEN here.deleted_at > made.stage_timestamp OR everywhere.deleted_at > made.stage_timestamp THEN 'perhaps deleted'
        ELSE 'still there'
    END AS fate,
    made.expires_at,
    nullif(made.last_writer, made.principal) AS changed_later_by,
    made.client_ip,
    made.peer_ip,
    made.user_agent,
    made.audit_id,
    made.source_file,
    made.source_line
FROM made
CROSS JOIN log_end
LEFT JOIN collections AS here
    ON made.cluster IS NOT DISTINCT FROM here.cluster AND made.api_group = here.api_group AND made.resource = here.resource
    AND made.object_namespace = here.namespace AND made.write_kind = 'object'
LEFT JOIN collections AS everywhere
    ON made.cluster IS NOT DISTINCT FROM everywhere.cluster AND made.api_group = everywhere.api_group
    AND made.resource = everywhere.resource AND everywhere.namespace = '' AND made.object_namespace <> '' AND made.write_kind = 'object'
LEFT JOIN namespaces
    ON made.cluster IS NOT DISTINCT FROM namespaces.cluster AND made.object_namespace = namespaces.namespace
WHERE (namespaces.deleted_at > made.stage_timestamp) IS NOT TRUE
  AND (CAST(made.expires_at AS BIGINT) / 1000 < CAST(log_end.ended_at AS BIGINT)) IS NOT TRUE
ORDER BY made.stage_timestamp, made.source_file, made.source_offset, made.audit_id
