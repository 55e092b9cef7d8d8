-- title = "Panics of the apiserver"
-- question = "Which requests made the apiserver panic?"
-- description = """
-- Requests that ended in a panic of the apiserver (stage Panic, code 500), by path and message. The
-- most frequent, \"net/http: abort Handler\", is how it ends a response that its backend cut
-- off."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 A1.2"]
-- attack = ["T1499.004"]
-- false_positives = "Aggregated APIs (metrics-server) that cut their answer."
-- limits = "Whether the request took effect is not known. The stack is in the apiserver's own log."
-- message = "{panics} panics on {verb} {target}[: {response_message}]"
-- columns.key = ["verb", "target", "response_message"]
-- columns.detail = ["panics", "actors", "first_seen", "last_seen"]
-- triage = ["error-bursts", "slow-requests"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
SELECT
    verb,
    coalesce(nullif(concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')), ''), split_part(request_uri, '?', 1)) AS target,
    response_message,
    count(*) AS panics,
    count(DISTINCT actor) AS actors,
    min(actor) AS first_actor,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM requests
WHERE stage = 'Panic'
GROUP BY verb, target, response_message
ORDER BY panics DESC, verb, target, response_message
