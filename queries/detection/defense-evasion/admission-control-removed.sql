-- title = "Admission control removed or weakened"
-- question = "Who removed, disabled or narrowed a webhook or an admission policy, or tried to?"
-- description = """
-- Webhook configurations, admission policies and their bindings that were deleted, or changed so that
-- they check less: failurePolicy Ignore, a webhook taken out of its configuration, a policy that no longer
-- denies, a selector or match condition that exempts something, rules or validations that were removed or
-- replaced, or another service behind a webhook. One row per delete or weakened field; field, before and
-- after say which."""
-- severity = "high"
-- level = "Request"
-- attack = ["T1562.001"]
-- controls = ["NIST CM-6", "SOC 2 CC6.8", "CIS 5.2.1"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Upgrades and removals of policy engines, service meshes and operators, and edits of a policy's rules."
-- tuning = "Add tools that manage their webhooks to the list expected, with the activity webhooks."
-- limits = "At level Metadata only deletes are found. A change is compared with the version before, which the log must show at level Request or above; otherwise only a patch that names the field is recognised. A change of caBundle, a webhook's Service, or its pods can switch it off too, and is not shown here. Whether a selector exempts more or less than before is for the reader to judge."
-- message = "{actor}: {operation} {resource} [{name}|all][, {field} becomes {after}|, {field}] ({outcome})"
-- columns.key = ["actor", "principal", "resource", "name", "operation", "field", "outcome"]
-- columns.detail = ["before", "after", "response_code", "peer_ip", "user_agent"]
-- covers = ["S: Kubernetes Admission Controller Modification", "E: Kubernetes Admission Webhook Created or Modified"]
-- differs = "The others report each write of a webhook configuration (here admission-webhook-changed); this query reports only what weakens it, and covers ValidatingAdmissionPolicy and MutatingAdmissionPolicy."
-- triage = ["object-history resource={resource} name={name}", "field-changes resource={resource} name={name}", "principal-timeline principal={principal}"]
-- [[needs]]
-- verbs = ["delete", "deletecollection"]
-- resources = [
--     "validatingwebhookconfigurations.admissionregistration.k8s.io", "mutatingwebhookconfigurations.admissionregistration.k8s.io",
--     "validatingadmissionpolicies.admissionregistration.k8s.io", "validatingadmissionpolicybindings.admissionregistration.k8s.io",
--     "mutatingadmissionpolicies.admissionregistration.k8s.io", "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
-- ]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "validatingwebhookconfigurations.admissionregistration.k8s.io", "mutatingwebhookconfigurations.admissionregistration.k8s.io",
--     "validatingadmissionpolicies.admissionregistration.k8s.io", "validatingadmissionpolicybindings.admissionregistration.k8s.io",
--     "mutatingadmissionpolicies.admissionregistration.k8s.io", "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
-- ]
-- level = "Request"
-- columns = ["request_object"]
WITH writes AS (
    SELECT
        stage_timestamp, outcome, actor, principal, verb, operation, resource, object_name AS name, request_object,
        response_code, client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
        CASE
            WHEN outcome = 'succeeded' AND operation IN ('update', 'patch')
                AND (object_source = 'response' OR verb = 'update') THEN object
        END AS new_object,
        lag(CASE
            WHEN outcome = 'succeeded' AND operation <> 'delete' AND (object_source = 'response' OR verb <> 'patch') THEN object
        END) IGNORE NULLS OVER (
            PARTITION BY cluster, resource, object_name
            ORDER BY stage_timestamp, request_received_timestamp, audit_id, source_file, source_offset
        ) AS old_object
    FROM write_requests
    WHERE api_group = 'admissionregistration.k8s.io'
      AND resource IN (
          'validatingwebhookconfigurations', 'mutatingwebhookconfigurations', 'validatingadmissionpolicies',
          'validatingadmissionpolicybindings', 'mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'
      )
      AND subresource = ''
),
changes AS (
    SELECT
        stage_timestamp, outcome, actor, principal, operation, resource, name, response_code, client_ip, peer_ip, user_agent,
        audit_id, source_file, source_line, source_offset,
        difference['path'] AS field, difference['before'] AS before, difference['after'] AS after
    FROM (
        SELECT writes.*, unnest(json_diff(old_object, new_object)) AS difference
        FROM writes
        WHERE old_object IS NOT NULL AND new_object IS NOT NULL
    ) AS compared
    UNION ALL
    -- What a patch names, where the versions are not known. A JSON patch is a list of operations.
    SELECT
        stage_timestamp, outcome, actor, principal, operation, resource, name, response_code, client_ip, peer_ip, user_agent,
        audit_id, source_file, source_line, source_offset,
        CASE
            WHEN body_text(named, 'path') IS NOT NULL THEN replace(substr(body_text(named, 'path'), 2), '/', '.')
            WHEN named LIKE '%"failurePolicy":"Ignore"%' THEN 'spec.failurePolicy'
            WHEN named LIKE '%"_patch":"delete"%' THEN 'webhooks.0'
            WHEN body_text(named, 'spec.validationActions') IS NOT NULL THEN 'spec.validationActions'
            ELSE 'spec.' || regexp_match(named, '"(namespaceSelector|objectSelector|matchConditions)":[\[{]["{]')[1]
        END AS field,
        CASE WHEN body_text(named, 'op') IN ('remove', 'replace') THEN '' END AS before,
        CASE
            WHEN body_text(named, 'op') = 'remove' OR named LIKE '%"_patch":"delete"%' THEN NULL
            WHEN body_text(named, 'path') IS NOT NULL THEN body_text(named, 'value')
            WHEN named LIKE '%"failurePolicy":"Ignore"%' THEN 'Ignore'
            ELSE coalesce(body_text(named, 'spec.validationActions'), named)
        END AS after
    FROM (
        SELECT
            writes.*,
            unnest(coalesce(json_elements(request_object), make_array(request_object))) AS named
        FROM writes
        WHERE verb = 'patch'
          AND operation <> 'create'
          AND request_object IS NOT NULL
          AND (old_object IS NULL OR new_object IS NULL)
    ) AS patched
    UNION ALL
    SELECT
        stage_timestamp, outcome, actor, principal, operation, resource, name, response_code, client_ip, peer_ip, user_agent,
        audit_id, source_file, source_line, source_offset,
        CAST(NULL AS VARCHAR) AS field, CAST(NULL AS VARCHAR) AS before, CAST(NULL AS VARCHAR) AS after
    FROM writes
    WHERE verb IN ('delete', 'deletecollection')
)
SELECT
    stage_timestamp,
    graded(
        CASE
            WHEN regexp_like(field, 'rules|validations|resourceRules|matchConditions|matchConstraints|matchPolicy') THEN 'medium'
            ELSE 'high'
        END,
        outcome
    ) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    name,
    field,
    left(before, 500) AS before,
    left(after, 500) AS after,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM changes
WHERE (
        field IS NULL AND operation IN ('delete', 'deletecollection')
        OR regexp_like(field, '^(?:webhooks|spec).*failurePolicy$') AND after = 'Ignore'
        OR regexp_like(field, '^(?:webhooks|spec).*matchPolicy$') AND after = 'Exact'
        OR regexp_like(field, '^webhooks(?:$|\[[^\]]*\]$|\.[0-9]+$)') AND after IS NULL
        OR field = 'spec.validationActions' AND (after LIKE '%Deny%') IS NOT TRUE
        OR field = 'spec.policyName'
        OR regexp_like(field, '^(?:webhooks|spec).*(?:namespaceSelector|objectSelector|matchConditions|excludeResourceRules)')
            AND after IS NOT NULL
        OR regexp_like(field, '^(?:webhooks|spec).*(?:\.rules|validations|\.resourceRules)') AND before IS NOT NULL
        OR regexp_like(field, '^webhooks.*clientConfig\.(?:service|url)') AND after IS NOT NULL
    )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'webhooks', '')
ORDER BY stage_timestamp, source_file, source_offset, field, audit_id
