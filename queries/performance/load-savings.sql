-- title = "What would save the apiserver work"
-- question = "Which clients could do with far fewer requests, and how many would that save?"
-- description = """
-- Work that a client could leave out, by kind, most seconds first. polling: it lists the same
-- resource again and again, where one watch would do. discovery: it reads the same discovery
-- document again and again, where a cache would do. failing: it repeats a request that the
-- apiserver always answers with the same client error. rewriting: it writes one object many times a
-- minute. requests_saved are those beyond the first; seconds_saved is the time that they took in
-- the apiserver. Only rows that save at least min_saved requests. The control plane and nodes are
-- left out unless system is set."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1"]
-- attack = ["T1499"]
-- false_positives = "Controllers that resync by listing on purpose, and objects that serve as a heartbeat."
-- limits = "A saving of requests is not one of CPU time in the same proportion. polling counts lists with the same resource, namespace and selectors; envelopes without the request URI (GKE) do not show selectors. Streams are left out."
-- message = "{kind}: [{actor}|nobody] with [{program}|an unnamed program], {verb} {target}[ in {namespace}]: {requests_saved} requests and {seconds_saved} s could be saved"
-- columns.key = ["kind", "actor", "program", "verb", "target", "namespace", "response_code"]
-- columns.detail = ["requests", "requests_saved", "seconds_saved", "advice", "last_seen"]
-- tables = ["system_principals"]
-- triage = ["top-clients actor={actor}", "unbounded-lists actor={actor}", "hot-objects"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- [parameters.min_saved]
-- type = "integer"
-- default = 20
-- doc = "Only what saves at least this many requests."
-- [parameters.actor]
-- type = "string"
-- doc = "Only this actor."
-- [parameters.system]
-- type = "boolean"
-- default = false
-- doc = "Include the control plane and nodes, whose programs nobody changes."
WITH kinds AS (
    SELECT
        CASE
            WHEN response_code BETWEEN 400 AND 499 AND response_code NOT IN (401, 409, 410, 429) THEN 'failing'
            WHEN response_code BETWEEN 200 AND 399 AND verb = 'list' AND name = '' AND coalesce(query_param(request_uri, 'continue'), '') = '' THEN 'polling'
            WHEN response_code BETWEEN 200 AND 399 AND resource IS NULL AND verb = 'get' AND regexp_like(request_uri, '^/(?:api|apis|openapi)(?:[/?]|$)') THEN 'discovery'
            WHEN response_code BETWEEN 200 AND 299 AND verb IN ('update', 'patch') AND (dry_run LIKE '%All%') IS NOT TRUE AND (api_group = 'coordination.k8s.io') IS NOT TRUE THEN 'rewriting'
        END AS kind,
        actor,
        actor_kind,
        split_part(user_agent, '/', 1) AS program,
        verb,
        coalesce(nullif(concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')), ''), split_part(request_uri, '?', 1)) AS target,
        namespace,
        object_name,
        CASE WHEN verb = 'list' THEN concat_ws('&', query_param(request_uri, 'labelSelector'), query_param(request_uri, 'fieldSelector')) END AS selectors,
        CASE WHEN response_code >= 400 THEN response_code END AS response_code,
        peer_ip,
        latency_ms,
        request_received_timestamp,
        stage_timestamp
    FROM requests
    WHERE (verb IN ('watch', 'proxy') OR subresource IN ('exec', 'attach', 'portforward', 'log', 'proxy')) IS NOT TRUE
      AND ($actor IS NULL OR actor = $actor)
      AND ($system OR NOT listed('system_principals', principal))
),
repeated AS (
    SELECT
        kind, actor, actor_kind, program, verb, target, namespace, response_code,
        count(*) AS requests,
        sum(latency_ms) AS busy_ms,
        min(request_received_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen
    FROM kinds
    WHERE kind IS NOT NULL
    GROUP BY kind, actor, actor_kind, program, verb, target, namespace, response_code, object_name, selectors, peer_ip
    -- What is rare is not worth a change: rewriting counts from ten a minute on.
    HAVING count(*) > 1
       AND (
           kind <> 'rewriting'
           OR count(*) / greatest(CAST(CAST(max(stage_timestamp) AS BIGINT) - CAST(min(request_received_timestamp) AS BIGINT) AS DOUBLE) / 60000000, 1) >= 10
       )
)
SELECT
    kind,
    actor,
    actor_kind,
    program,
    verb,
    target,
    namespace,
    response_code,
    sum(requests) AS requests,
    sum(requests) - count(*) AS requests_saved,
    round(sum(busy_ms*(requests - 1) / requests) / 1000, 3) AS seconds_saved,
    CASE kind
        WHEN 'polling' THEN 'watch it (an informer) instead of listing it'
        WHEN 'discovery' THEN 'cache discovery, and keep one client'
        WHEN 'failing' THEN 'stop or back off: the answer does not change'
        WHEN 'rewriting' THEN 'write only what changed, and less often'
    END AS advice,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM repeated
GROUP BY kind, actor, actor_kind, program, verb, target, namespace, response_code
HAVING sum(requests) - count(*) >= $min_saved
ORDER BY seconds_saved DESC, requests_saved DESC, kind, actor, program, verb, target, namespace, response_code
