-- title = "Webhook and policy changes"
-- question = "Who changed admission webhooks and policies, and what about them?"
-- description = """
-- One row per write to what guards admission: webhook configurations, ValidatingAdmissionPolicies
-- and MutatingAdmissionPolicies with their bindings, the policies of Gatekeeper, Kyverno and
-- Kubewarden, and the Pod Security labels of namespaces. Refused and failed writes and dry runs are
-- included: see outcome. changes lists the fields that a successful write changed, as far as the
-- log shows both versions, or what a patch sets. What the control plane and the list expected
-- (activities webhooks and policies) do is info."""
-- severity = "low"
-- level = "Request"
-- controls = ["PCI-DSS 10.2.1.5", "SOC 2 CC8.1", "NIST CM-3", "NIST CM-5", "ISO 27001 A.8.32"]
-- attack = ["T1546", "T1562.001"]
-- false_positives = "cert-manager's CA injector and operators that keep the certificate of their own webhook up to date; GitOps that installs policies."
-- limits = "At level Metadata the log says that an object changed, not how, and namespaces are left out, since their labels are not shown. At level Request a patch shows what it sets, not what was there before."
-- message = "{principal}[ as {acted_as}]: {operation} {resource}[, {name}] ({outcome})"
-- columns.key = ["principal", "actor", "operation", "api_group", "resource", "namespace", "name", "outcome"]
-- columns.detail = ["changes", "peer_ip", "user_agent"]
-- tables = ["expected", "system_principals"]
-- triage = [
--     "field-changes resource={resource} name={name}", "principal-timeline principal={principal}", "policy-refusals",
-- ]
-- tuning = "Put operators that manage their own webhooks into the list expected (activity webhooks or policies), or set system to false to leave them out."
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = [
--     "validatingwebhookconfigurations.admissionregistration.k8s.io",
--     "mutatingwebhookconfigurations.admissionregistration.k8s.io",
--     "validatingadmissionpolicies.admissionregistration.k8s.io",
--     "validatingadmissionpolicybindings.admissionregistration.k8s.io",
--     "mutatingadmissionpolicies.admissionregistration.k8s.io",
--     "mutatingadmissionpolicybindings.admissionregistration.k8s.io", "*.kyverno.io", "*.policies.kyverno.io", "*.templates.gatekeeper.sh",
--     "*.constraints.gatekeeper.sh", "*.config.gatekeeper.sh", "*.mutations.gatekeeper.sh", "*.policies.kubewarden.io",
-- ]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["namespaces"]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only writes by this actor or principal."
-- [parameters.name]
-- type = "string"
-- doc = "Only objects of this name."
-- [parameters.system]
-- type = "boolean"
-- default = true
-- doc = "Also what the control plane and the list expected do."
WITH guards AS (
    SELECT
        stage_timestamp, audit_id, outcome, actor, principal, operation, write_kind, api_group, resource, subresource, namespace,
        object_name, request_uri, cluster, request_object, response_code, response_message, client_ip, peer_ip, user_agent,
        source_file, source_line, source_offset
    FROM write_requests
    WHERE subresource = ''
      AND (
          api_group IN (
              'admissionregistration.k8s.io', 'kyverno.io', 'policies.kyverno.io', 'templates.gatekeeper.sh',
              'constraints.gatekeeper.sh', 'config.gatekeeper.sh', 'mutations.gatekeeper.sh', 'policies.kubewarden.io'
          )
          OR api_group = '' AND resource = 'namespaces' AND verb IN ('create', 'update', 'patch')
              -- The label, in whatever way the body sets or removes it.
              AND request_object LIKE '%pod-security.kubernetes.io%'
      )
      -- Reports are results.
      AND resource NOT LIKE '%reports'
      AND ($actor IS NULL OR $actor IN (actor, principal))
      AND ($name IS NULL OR object_name = $name)
      AND (
          $system
          OR NOT listed('system_principals', principal)
              AND NOT listed('expected', principal, 'webhooks', namespace)
              AND NOT listed('expected', principal, 'policies', namespace)
      )
),
versions AS (
    SELECT
        audit_id, stage_timestamp, request_uri, source_offset, after_unknown,
        CASE
            WHEN after_unknown = 'patch'
                THEN json_diff(CASE WHEN ltrim(request_object) LIKE '[%' THEN '[]' ELSE '{}' END, request_object)
            ELSE json_diff(before, after)
        END AS diff
    FROM object_versions
    WHERE write_kind = 'object'
      AND (
          api_group IN (
              'admissionregistration.k8s.io', 'kyverno.io', 'policies.kyverno.io', 'templates.gatekeeper.sh',
              'constraints.gatekeeper.sh', 'config.gatekeeper.sh', 'mutations.gatekeeper.sh', 'policies.kubewarden.io'
          )
          OR api_group = '' AND resource = 'namespaces'
      )
),
fields AS (
    SELECT audit_id, stage_timestamp, request_uri, source_offset, unnest(diff) AS change
    FROM versions
),
changed AS (
    SELECT
        audit_id, stage_timestamp, request_uri, source_offset,
        array_agg(
            concat(change['path'], ': ', coalesce(substr(change['before'], 1, 200), 'nothing'), ' → ', coalesce(substr(change['after'], 1, 200), 'nothing'))
            ORDER BY change['path']
        ) AS changes,
        bool_or(
            concat(change['path'], change['before'], change['after']) LIKE '%pod-security.kubernetes.io%'
        ) AS labels_changed
    FROM fields
    WHERE NOT (
        change['path'] LIKE 'metadata.managedFields%' OR change['path'] LIKE 'status%'
        OR change['path'] IN ('metadata.resourceVersion', 'metadata.generation', 'metadata.uid', 'metadata.creationTimestamp')
        OR change['path'] LIKE '%last-applied-configuration%'
    )
    GROUP BY audit_id, stage_timestamp, request_uri, source_offset
)
SELECT
    guards.stage_timestamp,
    CASE
        WHEN listed('system_principals', guards.principal)
            OR listed('expected', guards.principal, 'webhooks', guards.namespace)
            OR listed('expected', guards.principal, 'policies', guards.namespace) THEN 'info'
        ELSE graded('low', guards.outcome)
    END AS severity,
    guards.outcome,
    guards.actor,
    guards.principal,
    nullif(guards.actor, guards.principal) AS acted_as,
    guards.operation,
    guards.api_group,
    guards.resource,
    guards.namespace,
    guards.object_name AS name,
    changed.changes,
    guards.response_code,
    guards.response_message,
    guards.client_ip,
    guards.peer_ip,
    guards.user_agent,
    guards.audit_id,
    guards.source_file,
    guards.source_line
FROM guards
LEFT JOIN changed
    ON guards.audit_id IS NOT DISTINCT FROM changed.audit_id
    AND guards.stage_timestamp IS NOT DISTINCT FROM changed.stage_timestamp
    AND guards.request_uri IS NOT DISTINCT FROM changed.request_uri
    AND guards.source_offset IS NOT DISTINCT FROM changed.source_offset
-- A namespace that is applied again has its labels in the body, changed or not.
WHERE guards.resource <> 'namespaces' OR guards.api_group <> '' OR changed.labels_changed IS NOT FALSE
ORDER BY guards.stage_timestamp, guards.source_file, guards.source_offset, guards.audit_id
