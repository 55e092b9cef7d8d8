-- doc = """
-- The versions of roles and bindings that the log shows: one row per successful write at level Request or above, with the
-- time from which the version held and the time of the next write. Writes at level Metadata say that an object changed,
-- not to what, and have no row: see rbac_changes. A patch at level Request shows only the part that it names."""
-- [[column]]
-- name = "operation"
-- type = "string"
-- doc = "create, update, patch, delete or deletecollection; see object_writes."
-- [[column]]
-- name = "write_kind"
-- type = "string"
-- doc = "object; see object_writes."
-- [[column]]
-- name = "object_kind"
-- type = "string"
-- doc = "Role, ClusterRole, RoleBinding or ClusterRoleBinding."
-- [[column]]
-- name = "role_ref"
-- type = "struct<api_group: string, kind: string, name: string>"
-- doc = "Role that a binding grants."
-- [[column]]
-- name = "subjects"
-- type = "list<struct<kind: string, api_group: string, namespace: string, name: string>>"
-- doc = "Subjects that a binding grants it to."
-- [[column]]
-- name = "rules"
-- type = "list<struct<api_groups: list<string>, resources: list<string>, resource_names: list<string>, non_resource_urls: list<string>, verbs: list<string>>>"
-- doc = "Rules of a role."
-- [[column]]
-- name = "deleted"
-- type = "boolean"
-- doc = "Whether the write deleted the object, or with deletecollection all that it selected."
-- [[column]]
-- name = "valid_from"
-- type = "timestamp"
-- doc = "When the version began to hold: the end of the request."
-- [[column]]
-- name = "valid_until"
-- type = "timestamp"
-- doc = "When the next write to the object ended, at any level; NULL if the log shows none."
SELECT * FROM (
    SELECT
        rbac_changes.*,
        operation IN ('delete', 'deletecollection') AS deleted,
        stage_timestamp AS valid_from,
        lead(stage_timestamp) OVER (
            PARTITION BY object_kind, namespace, object_name
            ORDER BY stage_timestamp, request_received_timestamp, audit_id, source_file, source_offset
        ) AS valid_until
    FROM rbac_changes
) AS written
WHERE level IN ('Request', 'RequestResponse')
