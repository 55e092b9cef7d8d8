-- doc = """
-- Every request that would write a role, cluster role, role binding or cluster role binding, whatever came of it: see
-- outcome. rbac_changes are those that succeeded. At level Metadata role_ref, subjects and rules are NULL, and of deletes
-- too; a patch at level Request has only what it names."""
-- [[column]]
-- name = "operation"
-- type = "string"
-- doc = "create, update, patch, delete or deletecollection; see write_requests."
-- [[column]]
-- name = "write_kind"
-- type = "string"
-- doc = "object; see object_writes."
-- [[column]]
-- name = "outcome"
-- type = "string"
-- doc = "succeeded, dry run, refused, failed or unknown; see write_requests."
-- [[column]]
-- name = "object"
-- type = "json"
-- doc = "The object, from response_object or request_object."
-- [[column]]
-- name = "object_source"
-- type = "string"
-- doc = "response: as stored; request: as sent; NULL without object."
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
SELECT
    write_requests.*,
    CASE resource
        WHEN 'roles' THEN 'Role'
        WHEN 'clusterroles' THEN 'ClusterRole'
        WHEN 'rolebindings' THEN 'RoleBinding'
        WHEN 'clusterrolebindings' THEN 'ClusterRoleBinding'
    END AS object_kind,
    role_ref(object) AS role_ref,
    subjects(object) AS subjects,
    rules(object) AS rules
FROM write_requests
WHERE api_group = 'rbac.authorization.k8s.io'
  AND resource IN ('roles', 'clusterroles', 'rolebindings', 'clusterrolebindings')
