-- title = "Why allowed"
-- question = "Why was this request allowed?"
-- description = """
-- What allowed requests, as the apiserver recorded it: one row per actor, kind of request and
-- reason. why is the binding, role and subject that RBAC named; the group system:masters, which RBAC
-- does not limit; the node authorizer; or another authorizer, such as an access policy of EKS. With
-- impersonation, the rights are those of the impersonated user. binding_changed_by is whoever wrote
-- the binding last, if the log has it. Give audit_id for one request."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["PCI-DSS 7.2.1", "PCI-DSS 7.2.4", "SOC 2 CC6.3", "NIST AC-6", "ISO 27001 A.5.18"]
-- attack = ["T1078"]
-- false_positives = "None: this is an inventory."
-- limits = "The apiserver names one reason, the first that it finds; other bindings may allow the same: see auditql rbac explain, which takes the RBAC objects. Why impersonation itself was allowed is not recorded. Deliveries that drop annotations have no reasons."
-- message = "{actor} may {verb}[ {resource}| {path}][/{subresource}][ in {namespace}]: {why}"
-- columns.key = [
--     "actor", "principal", "verb", "api_group", "resource", "subresource", "namespace", "path", "why",
-- ]
-- columns.detail = ["requests", "first_used", "last_used", "binding_changed_by", "binding_changed_at"]
-- tables = ["system_principals"]
-- triage = ["rbac-changes actor={binding_changed_by}", "principal-timeline principal={principal}"]
-- tuning = "Give audit_id, or actor and namespace. Set system to true to see the control plane."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- stage = "any"
-- columns = ["authz_decision"]
-- [parameters.audit_id]
-- type = "string"
-- doc = "Only the request with this audit ID."
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.verb]
-- type = "string"
-- doc = "Only this verb."
-- [parameters.resource]
-- type = "string"
-- doc = "Only this resource, such as secrets or deployments.apps."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only requests in this namespace."
-- [parameters.system]
-- type = "boolean"
-- default = false
-- doc = "Also without audit_id and actor: the control plane's own components, controllers and nodes."
WITH allowed AS (
    SELECT
        audit_id, cluster, actor, principal, actor_groups, verb, api_group, resource, subresource, namespace,
        CASE WHEN resource IS NULL THEN split_part(request_uri, '?', 1) END AS path,
        authz_reason, authorizer, binding_kind, binding_namespace, binding_name, role_kind, role_name, subject_kind,
        subject_namespace, subject_name, authz_decision, request_received_timestamp, source_file, source_line
    FROM requests
    UNION ALL
    SELECT
        audit_id, cluster, actor, principal, actor_groups, verb, api_group, resource, subresource, namespace,
        CASE WHEN resource IS NULL THEN split_part(request_uri, '?', 1) END AS path,
        authz_reason, authorizer, binding_kind, binding_namespace, binding_name, role_kind, role_name, subject_kind,
        subject_namespace, subject_name, authz_decision, request_received_timestamp, source_file, source_line
    FROM unfinished_requests
),
reasons AS (
    SELECT
        cluster,
        actor,
        principal,
        verb,
        api_group,
        resource,
        subresource,
        namespace,
        path,
        CASE
            WHEN binding_name IS NOT NULL OR authz_reason <> '' THEN authz_reason
            WHEN array_has(actor_groups, 'system:masters') THEN 'member of system:masters, whom RBAC does not limit'
            WHEN actor LIKE 'system:node:%' THEN 'the node authorizer allowed it'
            ELSE 'the log does not say'
        END AS why,
        authorizer,
        binding_kind,
        binding_namespace,
        binding_name,
        role_kind,
        role_name,
        subject_kind,
        subject_namespace,
        subject_name,
        count(*) AS requests,
        min(request_received_timestamp) AS first_used,
        max(request_received_timestamp) AS last_used,
        first_value(audit_id ORDER BY request_received_timestamp, audit_id) AS audit_id,
        first_value(source_file ORDER BY request_received_timestamp, audit_id) AS source_file,
        first_value(source_line ORDER BY request_received_timestamp, audit_id) AS source_line
    FROM allowed
    WHERE authz_decision = 'allow'
      AND ($audit_id IS NULL OR audit_id = $audit_id)
      AND ($actor IS NULL OR $actor IN (actor, principal))
      AND ($verb IS NULL OR verb = $verb)
      AND ($resource IS NULL OR resource = $resource OR resource || '.' || api_group = $resource)
      AND ($namespace IS NULL OR namespace = $namespace)
      AND ($system OR $audit_id IS NOT NULL OR $actor IS NOT NULL OR NOT listed('system_principals', actor))
    GROUP BY
        cluster, actor, principal, verb, api_group, resource, subresource, namespace, path, why, authorizer, binding_kind,
        binding_namespace, binding_name, role_kind, role_name, subject_kind, subject_namespace, subject_name
),
bindings AS (
    SELECT
        cluster,
        object_kind,
        namespace,
        object_name,
        last_value(principal ORDER BY stage_timestamp, audit_id) AS changed_by,
        max(stage_timestamp) AS changed_at
    FROM rbac_changes
    WHERE object_kind IN ('RoleBinding', 'ClusterRoleBinding')
      AND operation NOT IN ('delete', 'deletecollection')
    GROUP BY cluster, object_kind, namespace, object_name
)
SELECT
    'info' AS severity,
    reasons.actor,
    reasons.principal,
    nullif(reasons.actor, reasons.principal) AS acted_as,
    reasons.verb,
    reasons.api_group,
    reasons.resource,
    reasons.subresource,
    reasons.namespace,
    reasons.path,
    reasons.why,
    reasons.authorizer,
    reasons.binding_kind,
    reasons.binding_namespace,
    reasons.binding_name,
    reasons.role_kind,
    reasons.role_name,
    reasons.subject_kind,
    reasons.subject_namespace,
    reasons.subject_name,
    bindings.changed_by AS binding_changed_by,
    bindings.changed_at AS binding_changed_at,
    reasons.requests,
    reasons.first_used,
    reasons.last_used,
    reasons.audit_id,
    reasons.source_file,
    reasons.source_line
FROM reasons
LEFT JOIN bindings
    ON reasons.cluster IS NOT DISTINCT FROM bindings.cluster
    AND reasons.binding_kind = bindings.object_kind
    AND reasons.binding_name = bindings.object_name
    AND coalesce(reasons.binding_namespace, '') = bindings.namespace
ORDER BY
    reasons.actor, reasons.principal, reasons.api_group, reasons.resource, reasons.subresource, reasons.path, reasons.namespace,
    reasons.verb, reasons.why, reasons.audit_id
