-- title = "Deprecated API usage"
-- question = "Who still calls deprecated API versions, and when will they be removed?"
-- description = """
-- Requests that the apiserver marked as deprecated, by API, actor and client; the API removed
-- soonest comes first. removed_release is the Kubernetes release that stops serving the API. It is
-- NULL if no release is set, as for core endpoints, componentstatuses and deprecated versions of
-- custom resources. Open watches count."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["NIST CM-7"]
-- attack = []
-- false_positives = "Control plane controllers that watch every API, and clients whose discovery reads every API."
-- limits = "Only API calls in the log are visible, not objects stored under an old version or manifests that have not been applied. The serving apiserver sets the mark, and does not know about later releases."
-- message = "[{actor}|somebody] calls {resource}[.{api_group}] {api_version}[, removed in {removed_release}] ({requests}×)"
-- columns.key = ["api_group", "api_version", "resource", "subresource", "actor", "user_agent"]
-- columns.detail = ["user_agent", "verbs", "first_seen", "last_seen"]
-- [[needs]]
-- resources = ["*"]
-- stage = "any"
-- columns = ["annotations"]
-- [parameters.target_release]
-- type = "string"
-- doc = "Only APIs that this release (such as 1.32) no longer serves, and those without a removal release."
WITH deprecated AS (
    SELECT
        api_group, api_version, resource, subresource, annotations['k8s.io/removed-release'] AS removed_release,
        actor, user_agent, verb, request_received_timestamp
    FROM requests
    WHERE annotations['k8s.io/deprecated'] = 'true'
    UNION ALL
    SELECT
        api_group, api_version, resource, subresource, annotations['k8s.io/removed-release'] AS removed_release,
        actor, user_agent, verb, request_received_timestamp
    FROM unfinished_requests
    WHERE annotations['k8s.io/deprecated'] = 'true'
)
SELECT
    removed_release,
    api_group,
    api_version,
    resource,
    subresource,
    actor,
    user_agent,
    count(*) AS requests,
    array_sort(array_agg(DISTINCT verb), 'ASC', 'NULLS LAST') AS verbs,
    min(request_received_timestamp) AS first_seen,
    max(request_received_timestamp) AS last_seen
FROM deprecated
WHERE $target_release IS NULL
   OR removed_release IS NULL
   OR try_cast(split_part(removed_release, '.', 1) AS INT) < try_cast(split_part($target_release, '.', 1) AS INT)
   OR (
       try_cast(split_part(removed_release, '.', 1) AS INT) = try_cast(split_part($target_release, '.', 1) AS INT)
       AND try_cast(split_part(removed_release, '.', 2) AS INT) <= try_cast(split_part($target_release, '.', 2) AS INT)
   )
GROUP BY removed_release, api_group, api_version, resource, subresource, actor, user_agent
ORDER BY
    try_cast(split_part(removed_release, '.', 1) AS INT), try_cast(split_part(removed_release, '.', 2) AS INT),
    removed_release, requests DESC, api_group, api_version, resource, subresource, actor, user_agent
