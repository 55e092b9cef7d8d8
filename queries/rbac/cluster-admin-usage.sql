-- title = "cluster-admin usage"
-- question = "Who used cluster-admin or system:masters, and for what?"
-- description = """
-- Requests allowed by the role cluster-admin, through any binding, or made by a member of
-- system:masters, whom RBAC does not limit. One row per actor, grant and permission, which together
-- show the smaller role that would have been enough. With impersonation, the rights are those of
-- the impersonated user, and username is the user who impersonates. A RoleBinding of cluster-admin
-- grants it in one namespace."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["CIS 5.1.1", "CIS 5.1.7", "PCI-DSS 7.2.2", "PCI-DSS 10.2.1.2", "SOC 2 CC6.3", "NIST AC-6(9)", "ISO 27001 A.8.2"]
-- attack = ["T1078", "T1098.006"]
-- false_positives = "The apiserver itself (system:apiserver is a member of system:masters), cluster bootstrap, and approved break-glass use."
-- limits = "Attributed, lower bound: if both cluster-admin and another role allow a request, the apiserver may name the other one. The query looks only for the name. It does not find copies of the role under another name, a provider's administrator policy (EKS access policies, GKE IAM), or escalation through other rights. A member of system:masters also uses that membership to impersonate others; this use is not counted."
-- message = "{actor} used cluster-admin: {verb}[ {resource}| {path}][/{subresource}] via {via} ({requests}×)"
-- columns.key = ["actor", "username", "via", "verb", "api_group", "resource", "subresource", "path"]
-- columns.detail = ["namespaces", "first_used", "last_used"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- stage = "any"
-- columns = ["authz_decision"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only this actor."
WITH allowed AS (
    SELECT
        actor, actor_kind, username, actor_groups, binding_kind, binding_namespace, binding_name, role_kind, role_name,
        verb, api_group, resource, subresource, namespace,
        CASE WHEN resource IS NULL THEN split_part(request_uri, '?', 1) END AS path,
        authz_decision, request_received_timestamp
    FROM requests
    UNION ALL
    SELECT
        actor, actor_kind, username, actor_groups, binding_kind, binding_namespace, binding_name, role_kind, role_name,
        verb, api_group, resource, subresource, namespace,
        CASE WHEN resource IS NULL THEN split_part(request_uri, '?', 1) END AS path,
        authz_decision, request_received_timestamp
    FROM unfinished_requests
)
SELECT
    actor,
    actor_kind,
    username,
    CASE
        WHEN role_name IS NULL THEN 'Group system:masters'
        ELSE binding_kind || ' ' || concat_ws('/', binding_namespace, binding_name)
    END AS via,
    verb,
    api_group,
    resource,
    subresource,
    path,
    count(*) AS requests,
    count(DISTINCT nullif(namespace, '')) AS namespaces,
    min(request_received_timestamp) AS first_used,
    max(request_received_timestamp) AS last_used
FROM allowed
WHERE authz_decision = 'allow'
  AND (
      (role_kind = 'ClusterRole' AND role_name = 'cluster-admin')
      OR (role_name IS NULL AND 'system:masters' = ANY(actor_groups))
  )
  AND ($actor IS NULL OR actor = $actor)
GROUP BY actor, actor_kind, username, via, verb, api_group, resource, subresource, path
ORDER BY actor, username, via, api_group, resource, subresource, path, verb
