-- title = "Odd HTTP methods"
-- question = "Which clients sent methods that the Kubernetes API does not have?"
-- description = """
-- Requests without a verb (the apiserver has none for OPTIONS and invented methods), with a verb that it
-- does not know, or refused as not allowed for the path (405). Scanners and fuzzers send them. One row per
-- client, verb and answer."""
-- severity = "low"
-- level = "Metadata"
-- attack = ["T1595"]
-- controls = ["NIST SI-10"]
-- false_positives = "Browsers ask with OPTIONS before they send a request to another site; some load balancers check with HEAD or OPTIONS."
-- tuning = "Leave out known checks with ignored_user_agents."
-- limits = "The apiserver records OPTIONS and methods that it does not know as an empty verb: which one it was is not in the log. HEAD reads as get or list."
-- message = "[{principal}|somebody] sent [the verb {verb}|an odd method] from {peer_ip} ({response_code}, {requests}×)"
-- columns.key = ["principal", "verb", "response_code", "user_agent", "peer_ip"]
-- columns.detail = ["request_uris", "first_seen", "last_seen"]
-- triage = ["principal-timeline principal={principal}", "denied-requests actor={principal}"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- [parameters.ignored_user_agents]
-- type = "strings"
-- doc = "Leave out requests with these user agents."
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'low' AS severity,
    principal,
    verb,
    response_code,
    count(*) AS requests,
    array_agg(DISTINCT left(request_uri, 200) ORDER BY left(request_uri, 200)) AS request_uris,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    client_ip,
    peer_ip,
    user_agent
FROM requests
WHERE (
        response_code = 405
        OR verb = ''
        -- GKE makes the verb of the name of the API's method, such as readyz, and has no URI.
        OR request_uri IS NOT NULL
        AND verb NOT IN (
            'get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection', 'post', 'put', 'head'
        )
    )
  AND ($ignored_user_agents IS NULL OR (user_agent = ANY($ignored_user_agents)) IS NOT TRUE)
GROUP BY principal, verb, response_code, client_ip, peer_ip, user_agent
ORDER BY first_seen, principal, verb, response_code, user_agent, peer_ip, client_ip
