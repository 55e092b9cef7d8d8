-- title = "Requests that timed out"
-- question = "Which requests ran out of time, and whose were they?"
-- description = """
-- Answers with 504, or with the reason Timeout, by client and resource. A write that timed out may
-- still have happened. own_timeout says that every one of them named a ?timeout= itself."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 A1.2"]
-- attack = []
-- false_positives = "Clients that set a short ?timeout=, and creates that a slow webhook delays."
-- limits = "A client that gives up and closes the connection leaves no 504. An invalid ?timeout= is answered with 400 and is not included."
-- message = "[{actor}|somebody]: {verb} {target} timed out {timeouts}× (longest {max_ms} ms)"
-- columns.key = ["actor", "program", "verb", "api_group", "resource", "subresource"]
-- columns.detail = ["timeouts", "max_ms", "own_timeout", "first_seen", "last_seen"]
-- triage = ["slow-requests", "webhook-failures", "error-bursts"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["response_code"]
SELECT
    actor,
    actor_kind,
    split_part(user_agent, '/', 1) AS program,
    verb,
    api_group,
    resource,
    subresource,
    coalesce(nullif(concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')), ''), 'no resource') AS target,
    count(*) AS timeouts,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms), 3) AS p50_ms,
    round(max(latency_ms), 3) AS max_ms,
    bool_and(coalesce(query_param(request_uri, 'timeout'), '') <> '') AS own_timeout,
    count(*) FILTER (WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND resource IS NOT NULL) AS writes,
    min(response_message) AS response_message,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM requests
WHERE response_code = 504
   OR response_code >= 500 AND response_reason = 'Timeout'
GROUP BY actor, actor_kind, program, verb, api_group, resource, subresource
ORDER BY timeouts DESC, actor, actor_kind, program, verb, api_group, resource, subresource
