-- title = "Confusing paths"
-- question = "Which clients sent paths with empty, dotted or encoded segments?"
-- description = """
-- Requests whose path has two slashes in a row, a segment of dots (. or ..), or an encoded slash, dot segment or
-- backslash. Such paths are sent to slip past a filter that reads the path differently from the apiserver;
-- the apiserver itself answers most of them with 403 or 404. What comes after /proxy/ is the path of
-- another server and not looked at. One row per client."""
-- severity = "low"
-- level = "Metadata"
-- attack = ["T1190", "T1036"]
-- controls = ["NIST SI-10"]
-- false_positives = "Clients whose base address ends in a slash, and objects whose names have odd characters."
-- tuning = "Leave out buggy clients with ignored_user_agents."
-- limits = "GKE's logs have no request URI. A proxy in front of the apiserver may have cleaned the path."
-- message = "[{principal}|somebody] sent confusing paths from {peer_ip}, such as {example} ({requests}×)"
-- columns.key = ["principal", "user_agent", "peer_ip"]
-- columns.detail = ["trick", "succeeded", "first_seen", "last_seen"]
-- triage = ["principal-timeline principal={principal}", "denied-requests actor={principal}"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["request_uri"]
-- [parameters.ignored_user_agents]
-- type = "strings"
-- doc = "Leave out requests with these user agents."
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'low' AS severity,
    principal,
    count(*) AS requests,
    count(*) FILTER (WHERE response_code BETWEEN 200 AND 299) AS succeeded,
    array_agg(DISTINCT trick ORDER BY trick) AS trick,
    left(min(path), 200) AS example,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        stage_timestamp, principal, path, response_code, client_ip, peer_ip, user_agent,
        CASE
            WHEN path LIKE '%//%' THEN 'double slash'
            WHEN regexp_like(path, '%2f|%5c|\\', 'i') THEN 'encoded slash'
            ELSE 'dots'
        END AS trick
    FROM (
        SELECT
            stage_timestamp, principal, response_code, client_ip, peer_ip, user_agent,
            CASE
                WHEN subresource = 'proxy' THEN split_part(split_part(request_uri, '?', 1), '/proxy', 1)
                ELSE split_part(request_uri, '?', 1)
            END AS path
        FROM requests
        WHERE regexp_like(request_uri, '//|%2f|%5c|%2e|\.\.|/\./|\\', 'i')
          AND ($ignored_user_agents IS NULL OR (user_agent = ANY($ignored_user_agents)) IS NOT TRUE)
    ) AS cut
    WHERE regexp_like(path, '//|%2f|%5c|\\|(?:^|/)(?:\.|%2e){1,2}(?:/|$)', 'i')
) AS tricks
GROUP BY principal, client_ip, peer_ip, user_agent
ORDER BY first_seen, principal, user_agent, peer_ip, client_ip
