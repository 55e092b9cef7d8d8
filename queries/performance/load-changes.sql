-- title = "Changes of load"
-- question = "Which clients ask for much more, or much less, than before?"
-- description = """
-- Clients whose requests for a resource a minute are at least factor times what they were in the
-- baseline, or less than 1/factor of it, or that are new; all with at least min_per_minute now or
-- before. change says more, less, new or gone."""
-- severity = "low"
-- level = "Metadata"
-- baseline = "1d"
-- controls = ["SOC 2 A1.1", "NIST SI-4"]
-- attack = ["T1499"]
-- false_positives = "Releases and new operators."
-- limits = "Rates are averages over the whole window and the whole baseline, so a short burst hides in a long window. A different audit policy before makes everything look changed."
-- message = "[{actor}|nobody] with [{program}|an unnamed program]: {verb} {target} {change}, {per_minute} a minute now, {per_minute_before} before"
-- columns.key = ["actor", "program", "verb", "api_group", "resource", "subresource"]
-- columns.detail = ["change", "per_minute", "per_minute_before", "requests"]
-- triage = ["top-clients actor={actor}", "list-latency actor={actor}", "what-changed-before"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- [parameters.factor]
-- type = "number"
-- default = 5.0
-- doc = "How many times more, or less, counts as a change."
-- [parameters.min_per_minute]
-- type = "number"
-- default = 10.0
-- doc = "Only clients with at least this many requests a minute, now or before."
WITH current_load AS (
    SELECT actor, split_part(user_agent, '/', 1) AS program, verb, api_group, resource, subresource, count(*) AS requests, 0 AS requests_before, min(stage_timestamp) AS first_seen, max(stage_timestamp) AS last_seen
    FROM requests
    GROUP BY actor, program, verb, api_group, resource, subresource
),
earlier_load AS (
    SELECT actor, split_part(user_agent, '/', 1) AS program, verb, api_group, resource, subresource, 0 AS requests, count(*) AS requests_before, min(stage_timestamp) AS first_seen, max(stage_timestamp) AS last_seen
    FROM earlier_requests
    GROUP BY actor, program, verb, api_group, resource, subresource
),
spanned AS (
    SELECT
        current_load.*,
        greatest(CAST(CAST(max(last_seen) OVER () AS BIGINT) - CAST(min(first_seen) OVER () AS BIGINT) AS DOUBLE) / 60000000, 1) AS minutes,
        CAST(NULL AS DOUBLE) AS minutes_before
    FROM current_load
    UNION ALL
    SELECT
        earlier_load.*,
        CAST(NULL AS DOUBLE) AS minutes,
        greatest(CAST(CAST(max(last_seen) OVER () AS BIGINT) - CAST(min(first_seen) OVER () AS BIGINT) AS DOUBLE) / 60000000, 1) AS minutes_before
    FROM earlier_load
),
lengths AS (
    SELECT spanned.*, max(minutes) OVER () AS all_minutes, max(minutes_before) OVER () AS all_minutes_before
    FROM spanned
),
rated AS (
    SELECT
        actor, program, verb, api_group, resource, subresource,
        sum(requests) AS requests,
        sum(requests_before) AS requests_before,
        sum(requests) / max(all_minutes) AS rate,
        sum(requests_before) / max(all_minutes_before) AS rate_before,
        max(CASE WHEN requests > 0 THEN last_seen END) AS last_seen
    FROM lengths
    GROUP BY actor, program, verb, api_group, resource, subresource
)
SELECT
    actor,
    program,
    verb,
    api_group,
    resource,
    subresource,
    coalesce(nullif(concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')), ''), 'no resource') AS target,
    CASE WHEN requests_before = 0 THEN 'new' WHEN requests = 0 THEN 'gone' WHEN rate > rate_before THEN 'more' ELSE 'less' END AS change,
    round(rate, 2) AS per_minute,
    round(rate_before, 2) AS per_minute_before,
    requests,
    requests_before,
    last_seen
FROM rated
WHERE greatest(rate, rate_before) >= $min_per_minute
  AND (requests_before = 0 OR requests = 0 OR rate >= $factor*rate_before OR rate*$factor <= rate_before)
ORDER BY greatest(rate, rate_before) DESC, actor, program, verb, api_group, resource, subresource
