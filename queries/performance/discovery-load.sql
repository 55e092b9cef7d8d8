-- title = "Discovery load"
-- question = "Which clients ask for the API discovery and OpenAPI documents, and how often?"
-- description = """
-- Requests for /api, /apis, /openapi, /swagger.json and /version by client. not_modified counts the
-- cheap answers (304, the client had a cached copy); documents is how many different ones were
-- read. Programs that run kubectl in a loop, or build a client for every call, read all of them
-- each time."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1"]
-- attack = ["T1613"]
-- false_positives = "Controllers that discover at start-up: garbage collector, namespace controller, GitOps controllers."
-- limits = "Many audit policies leave out these paths altogether: GKE's does for /version, /healthz and /swagger*."
-- message = "[{actor}|nobody] with [{program}|an unnamed program] read discovery {requests}× ({per_minute} a minute)"
-- columns.key = ["actor", "program"]
-- columns.detail = ["requests", "per_minute", "not_modified", "documents"]
-- triage = ["top-clients actor={actor}", "client-versions"]
-- [[needs]]
-- paths = ["/api*", "/apis*", "/openapi*", "/version", "/swagger*"]
-- verbs = ["get"]
-- [parameters.min_requests]
-- type = "integer"
-- default = 1
-- doc = "Only clients with at least this many."
SELECT
    actor,
    actor_kind,
    split_part(user_agent, '/', 1) AS program,
    count(*) AS requests,
    round(count(*) / greatest(CAST(CAST(max(stage_timestamp) AS BIGINT) - CAST(min(request_received_timestamp) AS BIGINT) AS DOUBLE) / 60000000, 1), 2) AS per_minute,
    count(*) FILTER (WHERE response_code = 304) AS not_modified,
    count(DISTINCT split_part(request_uri, '?', 1)) AS documents,
    count(*) FILTER (WHERE request_uri LIKE '/openapi%') AS openapi,
    round(sum(latency_ms) / 1000, 3) AS seconds,
    count(DISTINCT peer_ip) AS addresses,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM requests
WHERE resource IS NULL
  AND verb = 'get'
  AND regexp_like(request_uri, '^/(?:api|apis|openapi|version|swagger)(?:[/?.-]|$)')
GROUP BY actor, actor_kind, program
HAVING count(*) >= $min_requests
ORDER BY requests DESC, actor, actor_kind, program
