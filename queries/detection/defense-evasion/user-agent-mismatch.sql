-- title = "User agents that do not fit"
-- question = "Which clients name a program that their identity does not use, or no program?"
-- description = """
-- A service account that is used with a program for people (kubectl, k9s, Lens, a browser, curl), as when
-- somebody uses a pod's token by hand; the kubelet's or a control-plane component's user agent on an
-- identity that is not theirs; and requests without a user agent. One row per principal, user agent and
-- address."""
-- severity = "low"
-- level = "Metadata"
-- attack = ["T1036", "T1550.001"]
-- controls = ["NIST AU-12"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Scripts in pods that call kubectl or curl, such as CI runners and jobs of Helm charts, and support staff who use a service account."
-- tuning = "Add pipelines to the list expected without an activity, or with the activity workloads."
-- limits = "The client chooses its user agent: a careful attacker sends the usual one. Deliveries that drop user agents show everybody without one."
-- message = "{principal} from {peer_ip}: {reason}[ ({user_agent})], {requests}×"
-- columns.key = ["principal", "reason", "user_agent", "peer_ip"]
-- columns.detail = ["requests", "refused", "verbs", "first_seen", "last_seen"]
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["user_agent"]
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'low' AS severity,
    reason,
    principal,
    user_agent,
    count(*) AS requests,
    count(*) FILTER (WHERE response_code IN (401, 403)) AS refused,
    array_agg(DISTINCT verb ORDER BY verb) AS verbs,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    client_ip,
    peer_ip
FROM (
    SELECT
        stage_timestamp, principal, coalesce(user_agent, '') AS user_agent, verb, response_code, client_ip, peer_ip,
        CASE
            WHEN user_agent IS NULL OR user_agent = '' THEN 'no user agent'
            WHEN username LIKE 'system:serviceaccount:%'
                AND regexp_like(user_agent, '^(?:kubectl[^ /]*|oc|k9s|Lens|OpenLens|Headlamp|Mozilla|curl|Wget|HTTPie|PostmanRuntime)/')
                THEN 'program for people with a service account'
            WHEN user_agent LIKE 'kubelet/%' AND username NOT LIKE 'system:node:%' AND username NOT LIKE 'system:bootstrap:%'
                AND username NOT IN ('nodeclient', 'kubelet', 'kubelet-bootstrap', 'kubelet-nodepool-bootstrap', 'system:anonymous')
                THEN 'kubelet without a node identity'
            WHEN regexp_like(user_agent, '^kube-(?:apiserver|controller-manager|scheduler|proxy)/')
                AND NOT listed('system_principals', username)
                AND username NOT IN ('system:serviceaccount:kube-system:kube-proxy', 'system:anonymous')
                THEN 'control-plane program with another identity'
        END AS reason
    FROM requests
    WHERE username IS NOT NULL
      AND (
          user_agent IS NULL OR user_agent = '' OR username LIKE 'system:serviceaccount:%' OR user_agent LIKE 'kube%'
      )
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'workloads', coalesce(namespace, ''))
) AS judged
WHERE reason IS NOT NULL
GROUP BY principal, reason, user_agent, client_ip, peer_ip
ORDER BY first_seen, principal, reason, user_agent, peer_ip, client_ip
