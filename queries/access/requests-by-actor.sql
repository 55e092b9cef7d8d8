-- title = "Requests by actor"
-- question = "Who used the cluster, how much, and with what outcome?"
-- description = """
-- One row per actor: the impersonated user where a request was made on behalf of somebody else, else the user. Requests
-- without a user (failed authentication) are the row whose actor is NULL. Streams that are still open, and requests whose
-- end is not in the log, are counted too, and separately as unfinished."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.1", "SOC 2 CC6.1", "NIST AC-2", "NIST AU-6", "ISO 27001 A.5.16"]
-- attack = ["T1078"]
-- false_positives = "None: this is an inventory."
-- limits = "Requests that the audit policy does not log are not counted. Before it is answered a request does not show impersonation, so an unfinished one may stand under its real user. addresses are the peers that connected: behind a load balancer they are the load balancer's."
-- [parameters.actor]
-- type = "string"
-- doc = "Only this actor."
-- [parameters.actor_kind]
-- type = "string"
-- doc = "Only actors of this kind: human, serviceaccount, node, control-plane, anonymous or cloud."
WITH all_requests AS (
    SELECT
        actor, actor_kind, impersonated_username, verb, namespace, response_code, peer_ip, user_agent,
        request_received_timestamp, stage_timestamp, false AS unfinished
    FROM requests
    UNION ALL
    SELECT
        actor, actor_kind, impersonated_username, verb, namespace, response_code, peer_ip, user_agent,
        request_received_timestamp, stage_timestamp, true AS unfinished
    FROM unfinished_requests
)
SELECT
    actor,
    actor_kind,
    count(*) AS requests,
    count(*) FILTER (WHERE response_code IN (401, 403)) AS refused,
    count(*) FILTER (WHERE response_code >= 400 AND response_code NOT IN (401, 403)) AS failed,
    count(*) FILTER (WHERE unfinished) AS unfinished,
    count(*) FILTER (WHERE impersonated_username IS NOT NULL) AS impersonated,
    array_sort(array_agg(DISTINCT verb), 'ASC', 'NULLS LAST') AS verbs,
    count(DISTINCT namespace) AS namespaces,
    count(DISTINCT peer_ip) AS addresses,
    count(DISTINCT user_agent) AS user_agents,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM all_requests
WHERE ($actor IS NULL OR actor = $actor)
  AND ($actor_kind IS NULL OR actor_kind = $actor_kind)
GROUP BY actor, actor_kind
ORDER BY requests DESC, actor, actor_kind
