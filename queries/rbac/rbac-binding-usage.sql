-- title = "Use of RBAC bindings"
-- question = "Which bindings were requests allowed by, for whom, and when last?"
-- description = """
-- For each role binding and cluster role binding that the apiserver named as its reason: how many requests it allowed,
-- for how many actors, with which verbs. Requests that were allowed and then failed (404, 409, a refusal by admission)
-- used the binding too, and so do streams that are still open. The numbers are a lower bound: see limits."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["PCI-DSS 7.2.4", "PCI-DSS 7.2.5.1", "SOC 2 CC6.3", "NIST AC-6(7)", "ISO 27001 A.5.18"]
-- attack = ["T1098.006"]
-- false_positives = "None: this is an inventory."
-- limits = "Attributed, lower bound. That a binding is not here is no proof that it is not needed: the apiserver names one sufficient binding, the first it finds, in no fixed order, so that of two that cover a request either may be named. system:masters, the node authorizer and webhooks allow without naming a binding. bind, escalate and other checks made while a request is handled have no reason of their own. Requests that the audit policy leaves out, and those before the log begins, are not counted. A binding that was deleted and made again under the same name is one row."
-- [parameters.binding]
-- type = "string"
-- doc = "Only the bindings of this name."
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
    count(DISTINCT namespace) AS namespaces,
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
