-- title = "Requests by actor"
-- question = "Who used the cluster, how much, and with what outcome?"
-- description = """
-- One row per actor: the impersonated user if there is one, otherwise the user. Requests without a
-- user (failed authentication) form the row whose actor is NULL. Open streams, and requests whose
-- end the log does not show, are included in requests and also counted in unfinished."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.1", "SOC 2 CC6.1", "NIST AC-2", "NIST AU-6", "ISO 27001 A.5.16"]
-- attack = ["T1078"]
-- false_positives = "None: this is an inventory."
-- limits = "Requests that the audit policy does not log are not counted. Impersonation is logged only with the response, so an unfinished request may be counted for its real user. addresses counts the peers that connected; behind a load balancer, these are the addresses of the load balancer."
-- message = "[{actor}|nobody]: requests {requests}, refused {refused}, failed {failed}"
-- columns.key = ["actor", "actor_kind"]
-- columns.detail = ["requests", "refused", "failed", "verbs", "namespaces", "addresses", "first_seen", "last_seen"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- stage = "any"
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
    count(DISTINCT nullif(namespace, '')) AS namespaces,
    count(DISTINCT peer_ip) AS addresses,
    count(DISTINCT user_agent) AS user_agents,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM all_requests
WHERE ($actor IS NULL OR actor = $actor)
  AND ($actor_kind IS NULL OR actor_kind = $actor_kind)
GROUP BY actor, actor_kind
ORDER BY requests DESC, actor, actor_kind
