-- title = "Admission webhook that sees secrets"
-- question = "Which admission webhooks are sent secrets?"
-- description = """
-- Webhooks with a rule for secrets (by name, or * in the core group): the apiserver sends them each secret that is
-- created, changed or deleted, in clear. One row per webhook and rule in a write of its configuration; a patch of
-- something else is left out. The services of known policy engines (known_services) are low. outcome is succeeded,
-- refused (the attempt is one step less severe), failed, dry run, or unknown. Requests of the control plane and of
-- principals in the list expected (activity webhooks) are left out."""
-- severity = "high"
-- level = "Request"
-- controls = ["SOC 2 CC6.1", "NIST SC-28", "NIST CM-3"]
-- attack = ["T1552.007", "T1546"]
-- differs = "No other rule set reads the rules."
-- false_positives = "Policy engines and secret managers that validate secrets."
-- limits = "At level Metadata the log does not show rules. Selectors and matchConditions may narrow a webhook; they are not read. Only new and changed secrets are sent."
-- tuning = "Add policy engines to known_services, and operators that write their webhooks themselves to expected with activity webhooks."
-- triage = ["object-history resource={resource} name={name}", "principal-timeline principal={principal}"]
-- tables = ["system_principals", "expected"]
-- message = "{actor}: {operation} {resource} {name}: webhook [{webhook}|without a name] sees {resources}[ and sends them to {endpoint}] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "resource", "name", "webhook", "endpoint", "resources"]
-- columns.detail = ["peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "mutatingwebhookconfigurations.admissionregistration.k8s.io",
--     "validatingwebhookconfigurations.admissionregistration.k8s.io",
-- ]
-- level = "Request"
-- columns = ["response_code", "request_object"]
-- [parameters.known_services]
-- type = "strings"
-- default = [
--     "kyverno/kyverno-svc", "gatekeeper-system/gatekeeper-webhook-service", "kubewarden/policy-server-default",
--     "cattle-system/rancher-webhook", "validation-system/validation-webhook", "vault/vault-agent-injector-svc",
--     "stackrox/admission-control", "neuvector/neuvector-svc-admission-webhook",
--     "openshift-validation-webhook/validation-webhook",
-- ]
-- doc = "Services (namespace/name) that may see secrets; their webhooks are low."
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    stage_timestamp,
    graded(CASE WHEN coalesce(endpoint = ANY($known_services), false) THEN 'low' ELSE 'high' END, outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    webhook,
    endpoint,
    resources,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        ruled.*,
        coalesce(body_text(part, 'name'), body_text(part, 'value.name')) AS webhook,
        coalesce(
            body_text(part, 'clientConfig.url'),
            body_text(part, 'clientConfig.service.namespace') || '/' || body_text(part, 'clientConfig.service.name'),
            body_text(part, 'value.clientConfig.url'),
            body_text(part, 'value.clientConfig.service.namespace') || '/' || body_text(part, 'value.clientConfig.service.name')
        ) AS endpoint,
        array_to_string(array_intersect(make_array('secrets', '*', '*/*'), json_elements(body_text(rule, 'resources'))), ', ') AS resources
    FROM (
        SELECT
            parts.*,
            unnest(coalesce(
                json_elements(body_text(part, 'rules')),
                json_elements(body_text(part, 'value.rules')),
                -- A JSON patch of the rules, or of one.
                CASE
                    WHEN body_text(part, 'path') LIKE '%/rules' THEN json_elements(body_text(part, 'value'))
                    WHEN body_text(part, 'path') LIKE '%/rules/%' THEN make_array(body_text(part, 'value'))
                END
            )) AS rule
        FROM (
            SELECT
                write_requests.*,
                -- A JSON patch is a list of operations; everything else has a list of webhooks.
                unnest(coalesce(json_elements(body_text(object, 'webhooks')), json_elements(object))) AS part
            FROM write_requests
            WHERE api_group = 'admissionregistration.k8s.io'
              AND resource IN ('mutatingwebhookconfigurations', 'validatingwebhookconfigurations')
              AND subresource = ''
              AND operation IN ('create', 'update', 'patch')
              -- A patch of something else; a word may be written with escapes.
              AND (verb <> 'patch' OR request_object IS NULL OR request_object LIKE '%rules%' OR contains(request_object, '\u'))
        ) AS parts
    ) AS ruled
    WHERE array_has_any(json_elements(body_text(rule, 'resources')), make_array('secrets', '*', '*/*'))
      AND array_has_any(json_elements(body_text(rule, 'apiGroups')), make_array('', '*'))
      AND array_has_any(json_elements(body_text(rule, 'operations')), make_array('CREATE', 'UPDATE', 'DELETE', '*'))
) AS webhooks
WHERE NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'webhooks', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, webhook, resources, audit_id
