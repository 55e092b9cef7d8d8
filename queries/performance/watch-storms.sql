-- title = "Watch storms"
-- question = "Which clients open watches again and again, and why do these end so soon?"
-- description = """
-- Clients whose watches of a resource ended within short_seconds at least min_short times. The
-- apiserver ends a watch after 30 to 60 minutes by default, and informers ask for 5 to 10. expired
-- counts the watches refused as too old (410), after which a client lists again; failed counts
-- those refused otherwise."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1"]
-- attack = []
-- false_positives = "kubectl get -w and kubectl wait; a restart of the apiserver, which ends all watches."
-- limits = "A watch counts once it has ended; open ones are in watch-census. The apiserver can also report an expired watch inside the stream, with code 200."
-- message = "[{actor}|somebody] with [{program}|an unnamed program] watched {target} {watches}×, {short} shorter than {short_seconds} s[, expired {expired}×]"
-- columns.key = ["actor", "program", "api_group", "resource", "scope"]
-- columns.detail = ["watches", "short", "per_minute", "p50_seconds", "expired"]
-- triage = ["watch-census", "list-bursts", "log-start-stop-events"]
-- [[needs]]
-- verbs = ["watch"]
-- resources = ["*"]
-- columns = ["latency_ms"]
-- [parameters.short_seconds]
-- type = "number"
-- default = 60.0
-- doc = "A watch is short if it ended within this many seconds."
-- [parameters.min_short]
-- type = "integer"
-- default = 20
-- doc = "Only clients with at least this many short watches of a resource."
-- [parameters.objects]
-- type = "boolean"
-- default = false
-- doc = "Include watches of one object by name, as the kubelet opens and ends for the Secrets and ConfigMaps of each pod."
WITH watches AS (
    SELECT
        actor, actor_kind, split_part(user_agent, '/', 1) AS program, api_group, resource, latency_ms, response_code, peer_ip,
        CASE WHEN name <> '' THEN 'object' WHEN namespace <> '' THEN 'namespace' ELSE 'cluster' END AS scope,
        request_received_timestamp, stage_timestamp
    FROM requests
    WHERE verb = 'watch'
      AND resource IS NOT NULL
      AND latency_ms IS NOT NULL
      AND ($objects OR name = '')
      AND (response_code IN (401, 403)) IS NOT TRUE
)
SELECT
    actor,
    actor_kind,
    program,
    api_group,
    resource,
    concat_ws('.', resource, nullif(api_group, '')) AS target,
    scope,
    count(*) AS watches,
    count(*) FILTER (WHERE latency_ms < 1000*$short_seconds) AS short,
    $short_seconds AS short_seconds,
    round(count(*) / greatest(CAST(CAST(max(stage_timestamp) AS BIGINT) - CAST(min(request_received_timestamp) AS BIGINT) AS DOUBLE) / 60000000, 1), 2) AS per_minute,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) / 1000, 3) AS p50_seconds,
    nullif(count(*) FILTER (WHERE response_code = 410), 0) AS expired,
    nullif(count(*) FILTER (WHERE response_code >= 400 AND response_code <> 410), 0) AS failed,
    count(DISTINCT peer_ip) AS addresses,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM watches
GROUP BY actor, actor_kind, program, api_group, resource, scope
HAVING count(*) FILTER (WHERE latency_ms < 1000*$short_seconds) >= $min_short
ORDER BY short DESC, actor, actor_kind, program, api_group, resource, scope
