-- doc = """
-- Successful writes to roles, cluster roles, role bindings and cluster role bindings, without dry runs. Their content
-- comes from the response if that is the object itself, else from the request, which for a patch is the part that it
-- names. At level Metadata role_ref, subjects and rules are NULL: the log only says that the object changed. They are
-- NULL for deletes too: earlier events have what was removed. Includes the apiserver's own reconciliation of the default
-- roles at start-up, by system:apiserver."""
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
SELECT
    object_writes.*,
    CASE resource
        WHEN 'roles' THEN 'Role'
        WHEN 'clusterroles' THEN 'ClusterRole'
        WHEN 'rolebindings' THEN 'RoleBinding'
        WHEN 'clusterrolebindings' THEN 'ClusterRoleBinding'
    END AS object_kind,
    CASE
        WHEN body_kind(response_object) IN ('RoleBinding', 'ClusterRoleBinding') THEN role_ref(response_object)
        ELSE role_ref(request_object)
    END AS role_ref,
    CASE
        WHEN body_kind(response_object) IN ('RoleBinding', 'ClusterRoleBinding') THEN subjects(response_object)
        ELSE subjects(request_object)
    END AS subjects,
    CASE
        WHEN body_kind(response_object) IN ('Role', 'ClusterRole') THEN rules(response_object)
        ELSE rules(request_object)
    END AS rules
FROM object_writes
WHERE api_group = 'rbac.authorization.k8s.io'
  AND resource IN ('roles', 'clusterroles', 'rolebindings', 'clusterrolebindings')
