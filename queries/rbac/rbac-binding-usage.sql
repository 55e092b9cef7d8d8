-- title = "RBAC binding usage"
-- question = "Which bindings allowed requests, for whom, and when were they last used?"
-- description = """
-- For each role binding and cluster role binding that the apiserver named as the reason: how many
-- requests it allowed, for how many actors, with which verbs. Requests that were allowed and then
-- failed (404, 409, refused by admission) used the binding, and so do open streams. Counts are a
-- lower bound: see limits."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["PCI-DSS 7.2.4", "PCI-DSS 7.2.5.1", "SOC 2 CC6.3", "NIST AC-6(7)", "ISO 27001 A.5.18"]
-- attack = ["T1098.006"]
-- false_positives = "None: this is an inventory."
-- limits = "Attributed, lower bound. A binding that is missing here may still be needed: the apiserver names the first binding it finds that allows a request, in no fixed order, so if two bindings allow it, either can be named. system:masters, the node authorizer and webhooks allow requests without naming a binding. Checks made while a request is handled, such as bind and escalate, have no reason of their own. Requests that the audit policy does not log, and those before the log begins, are not counted. A binding that was deleted and created again under the same name is one row."
-- message = "{binding_kind} [{binding_namespace}/]{binding_name}: requests {requests}, actors {actors}"
-- columns.key = ["binding_kind", "binding_namespace", "binding_name", "role_kind", "role_name"]
-- columns.detail = ["verbs", "namespaces", "first_used", "last_used"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- stage = "any"
-- columns = ["binding_name"]
-- [parameters.binding]
-- type = "string"
-- doc = "Only bindings with this name."
WITH allowed AS (
    SELECT
        binding_kind, binding_namespace, binding_name, role_kind, role_name, authorizer, authz_decision, actor, verb,
        namespace, response_code, request_received_timestamp, stage_timestamp
    FROM requests
    UNION ALL
    SELECT
        binding_kind, binding_namespace, binding_name, role_kind, role_name, authorizer, authz_decision, actor, verb,
        namespace, response_code, request_received_timestamp, stage_timestamp
    FROM unfinished_requests
)
SELECT
    binding_kind,
    binding_namespace,
    binding_name,
    role_kind,
    role_name,
    'attributed, lower bound' AS evidence,
    count(*) AS requests,
    count(*) FILTER (WHERE response_code >= 400) AS failed_later,
    count(DISTINCT actor) AS actors,
    count(DISTINCT nullif(namespace, '')) AS namespaces,
    array_sort(array_agg(DISTINCT verb), 'ASC', 'NULLS LAST') AS verbs,
    min(request_received_timestamp) AS first_used,
    max(request_received_timestamp) AS last_used
FROM allowed
WHERE authz_decision = 'allow'
  AND authorizer = 'rbac'
  AND binding_name IS NOT NULL
  AND ($binding IS NULL OR binding_name = $binding)
GROUP BY binding_kind, binding_namespace, binding_name, role_kind, role_name
ORDER BY binding_kind, binding_namespace, binding_name, role_kind, role_name
