-- title = "Sensitive permissions tried out"
-- question = "Who asked whether they may read secrets, run commands in pods, or do everything?"
-- description = """
-- SelfSubjectAccessReviews about all verbs or resources, secrets, commands in pods, tokens, impersonation,
-- RBAC, certificates, webhooks and nodes. One row per client and question; allowed is the apiserver's last answer, if
-- the log has it (level RequestResponse)."""
-- severity = "low"
-- level = "Request"
-- attack = ["T1613", "T1069.003"]
-- controls = ["NIST SI-4"]
-- tables = ["system_principals", "expected"]
-- false_positives = "People who check their rights, and dashboards that ask before they show a button."
-- tuning = "Add dashboards and operators to the list expected, with the activity recon."
-- limits = "At level Metadata the log does not show what was asked."
-- message = "{actor} asked whether they may {question}[: allowed is {allowed}]"
-- columns.key = ["actor", "principal", "question", "user_agent"]
-- columns.detail = ["requests", "allowed", "first_seen", "last_seen", "peer_ip"]
-- covers = ["G: CAN_GET_SENSITIVE_OBJECT"]
-- triage = ["principal-timeline principal={principal}", "secrets-read actor={actor}"]
-- [[needs]]
-- verbs = ["create"]
-- resources = ["selfsubjectaccessreviews.authorization.k8s.io"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'low' AS severity,
    actor,
    actor_kind,
    principal,
    verb_asked || ' ' || resource_asked || coalesce(' in ' || namespace_asked, '') AS question,
    last_value(allowed ORDER BY stage_timestamp) AS allowed,
    count(*) AS requests,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        stage_timestamp, actor, actor_kind, principal, client_ip, peer_ip, user_agent,
        coalesce(body_text(request_object, 'spec.resourceAttributes.verb'), '*') AS verb_asked,
        coalesce(body_text(request_object, 'spec.resourceAttributes.resource'), '*')
            || coalesce('/' || body_text(request_object, 'spec.resourceAttributes.subresource'), '') AS resource_asked,
        nullif(body_text(request_object, 'spec.resourceAttributes.namespace'), '') AS namespace_asked,
        CASE
            WHEN body_kind(response_object) = 'SelfSubjectAccessReview' THEN coalesce(body_text(response_object, 'status.allowed'), 'false')
        END AS allowed
    FROM write_requests
    WHERE verb = 'create'
      AND resource = 'selfsubjectaccessreviews'
      AND api_group IN ('authorization.k8s.io', 'authorization.openshift.io')
      AND body_text(request_object, 'spec.resourceAttributes') IS NOT NULL
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'recon', namespace)
) AS asked
WHERE verb_asked IN ('*', 'impersonate', 'escalate', 'bind', 'approve', 'sign')
   OR resource_asked IN (
       '*', 'secrets', 'pods/exec', 'pods/attach', 'pods/ephemeralcontainers', 'nodes/proxy', 'serviceaccounts/token',
       'clusterroles', 'clusterrolebindings', 'roles', 'rolebindings', 'certificatesigningrequests', 'certificatesigningrequests/approval',
       'mutatingwebhookconfigurations', 'validatingwebhookconfigurations', 'users', 'groups'
   )
GROUP BY actor, actor_kind, principal, verb_asked, resource_asked, namespace_asked, client_ip, peer_ip, user_agent
ORDER BY first_seen, actor, question, user_agent, peer_ip, client_ip
