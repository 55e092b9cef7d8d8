-- title = "Top clients"
-- question = "Which client loads the apiserver, with what?"
-- description = """
-- Requests by actor, program, verb and resource, most first. program is the user agent up to the
-- first slash. seconds adds up the time that the apiserver spent on them; watches and other
-- streams, which are long by nature, count as requests and not in seconds. Both have their share of
-- the whole log in percent. per_minute is the average from the first event of the log to the last.
-- Set by_resource to false for one row per client."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1", "NIST SC-5"]
-- attack = ["T1499"]
-- false_positives = "None: this is an inventory."
-- limits = "Requests that the audit policy does not log are not counted, and neither are streams that are still open. Several programs can call themselves by one name; the user agent is what the client claims. Time in the apiserver is not CPU time: a request that waits costs little."
-- message = "[{actor}|nobody] with [{program}|an unnamed program]: {verb} {target}, requests {requests} ({share_percent}%), seconds {seconds}"
-- columns.key = ["actor", "program", "verb", "api_group", "resource", "subresource"]
-- columns.detail = ["requests", "share_percent", "per_minute", "seconds", "throttled"]
-- triage = ["list-latency actor={actor}", "unbounded-lists actor={actor}", "principal-timeline principal={actor}"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor; shares are still of all requests."
-- [parameters.by_resource]
-- type = "boolean"
-- default = true
-- doc = "One row per client, verb and resource. If false, one row per client."
-- [parameters.min_share_percent]
-- type = "number"
-- default = 0.0
-- doc = "Only rows with at least this share of the requests or of the seconds, in percent."
WITH timed AS (
    SELECT
        actor,
        actor_kind,
        split_part(user_agent, '/', 1) AS program,
        CASE WHEN $by_resource THEN verb END AS verb,
        CASE WHEN $by_resource THEN api_group END AS api_group,
        CASE WHEN $by_resource THEN coalesce(resource, 'no resource') END AS resource,
        CASE WHEN $by_resource THEN subresource END AS subresource,
        namespace,
        peer_ip,
        response_code,
        request_received_timestamp,
        stage_timestamp,
        CASE
            WHEN (verb IN ('watch', 'proxy') OR subresource IN ('exec', 'attach', 'portforward', 'log', 'proxy')) IS NOT TRUE
                THEN latency_ms
        END AS busy_ms
    FROM requests
),
counted AS (
    SELECT
        actor,
        actor_kind,
        program,
        verb,
        api_group,
        resource,
        subresource,
        count(*) AS requests,
        coalesce(sum(busy_ms), 0) / 1000 AS busy_seconds,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY busy_ms) AS p50,
        percentile_cont(0.99) WITHIN GROUP (ORDER BY busy_ms) AS p99,
        count(*) FILTER (WHERE response_code = 429) AS throttled,
        count(*) FILTER (WHERE response_code >= 400 AND response_code <> 429) AS failed,
        count(DISTINCT nullif(namespace, '')) AS namespaces,
        count(DISTINCT peer_ip) AS addresses,
        min(request_received_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen
    FROM timed
    GROUP BY actor, actor_kind, program, verb, api_group, resource, subresource
),
shared AS (
    SELECT
        counted.*,
        100.0*requests / sum(requests) OVER () AS share,
        100*busy_seconds / nullif(sum(busy_seconds) OVER (), 0) AS busy_share,
        CAST(CAST(max(last_seen) OVER () AS BIGINT) - CAST(min(first_seen) OVER () AS BIGINT) AS DOUBLE) / 60000000 AS minutes
    FROM counted
)
SELECT
    actor,
    actor_kind,
    program,
    coalesce(verb, 'all verbs') AS verb,
    api_group,
    resource,
    subresource,
    coalesce(nullif(concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')), ''), 'all resources') AS target,
    requests,
    round(share, 2) AS share_percent,
    round(requests / nullif(greatest(minutes, 1), 0), 2) AS per_minute,
    round(busy_seconds, 3) AS seconds,
    round(busy_share, 2) AS seconds_share_percent,
    round(p50, 3) AS p50_ms,
    round(p99, 3) AS p99_ms,
    throttled,
    failed,
    namespaces,
    addresses,
    first_seen,
    last_seen
FROM shared
WHERE ($actor IS NULL OR actor = $actor)
  AND (share >= $min_share_percent OR busy_share >= $min_share_percent)
ORDER BY requests DESC, busy_seconds DESC, actor, actor_kind, program, verb, api_group, resource, subresource
