-- title = "Policy refusals"
-- question = "Which policy or webhook refused what, and how often?"
-- description = """
-- Requests that admission refused, by what refused them: a webhook, a ValidatingAdmissionPolicy, Pod
-- Security, OpenShift's security context constraints, an image policy, a quota or a limit range;
-- webhook-unreachable means that a webhook could not be called and fails closed. policy is the name
-- of the webhook, policy, quota or Pod Security level, and rule what the webhook itself names: the
-- constraint of Gatekeeper, the policy of Kyverno."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["NIST CM-7", "NIST AC-3", "SOC 2 CC6.8", "ISO 27001 A.8.9"]
-- attack = []
-- false_positives = "None: this is an inventory."
-- limits = "Policies that only warn or audit refuse nothing: see pod-security-violations, and admission_decisions for ValidatingAdmissionPolicies. A mutating webhook that changes a request does not refuse it. Where a delivery drops messages the cause is unknown, and the row is missing."
-- message = "{cause}[ {policy}][, {rule}] refused {verb} {resource}[ in {namespace}] by {actor} ({refusals}×)"
-- columns.key = ["cause", "policy", "rule", "verb", "api_group", "resource", "subresource", "namespace", "actor"]
-- columns.detail = ["last_message", "names", "first_seen", "last_seen"]
-- triage = ["denied-requests actor={actor} namespace={namespace}", "webhook-and-policy-changes name={policy}"]
-- tuning = "Give cause, policy or namespace; raise min_refusals for the frequent ones."
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection", "get"]
-- resources = ["*"]
-- columns = ["response_code"]
-- [parameters.cause]
-- type = "string"
-- doc = "Only this cause: webhook, webhook-unreachable, policy, pod-security, security-context-constraints, image-policy, quota or limit-range."
-- [parameters.policy]
-- type = "string"
-- doc = "Only this webhook, policy or quota."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only requests in this namespace."
-- [parameters.min_refusals]
-- type = "integer"
-- default = 1
-- doc = "Only rows with at least this many refusals."
WITH refused AS (
    SELECT
        stage_timestamp, audit_id, source_file, source_line, cluster, cause, cause_name, actor, verb, api_group, resource,
        subresource, namespace, name, response_code, response_message,
        CASE
            WHEN cause = 'webhook' THEN coalesce(
                -- Gatekeeper, Kyverno.
                regexp_match(explanation, 'denied the request: \[([^\]]+)\]')[1],
                regexp_match(explanation, 'denied[^:]*: *(?:[^\n]*\n)*?[^\n]*following policies:?\s+([a-zA-Z0-9.-]+):')[1]
            )
        END AS rule
    FROM denials
    WHERE cause IN (
            'webhook', 'webhook-unreachable', 'policy', 'pod-security', 'security-context-constraints', 'image-policy', 'quota',
            'limit-range'
        )
      AND ($cause IS NULL OR cause = $cause)
      AND ($policy IS NULL OR cause_name = $policy)
      AND ($namespace IS NULL OR namespace = $namespace)
)
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'info' AS severity,
    cause,
    cause_name AS policy,
    rule,
    verb,
    api_group,
    resource,
    subresource,
    namespace,
    actor,
    count(*) AS refusals,
    count(DISTINCT nullif(name, '')) AS names,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    last_value(response_code ORDER BY stage_timestamp, audit_id) AS response_code,
    last_value(response_message ORDER BY stage_timestamp, audit_id) AS last_message,
    last_value(audit_id ORDER BY stage_timestamp, audit_id) AS audit_id,
    last_value(source_file ORDER BY stage_timestamp, audit_id) AS source_file,
    last_value(source_line ORDER BY stage_timestamp, audit_id) AS source_line
FROM refused
GROUP BY cluster, cause, cause_name, rule, verb, api_group, resource, subresource, namespace, actor
HAVING count(*) >= $min_refusals
ORDER BY refusals DESC, cause, policy, rule, verb, api_group, resource, subresource, namespace, actor, audit_id
