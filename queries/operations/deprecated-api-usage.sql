-- title = "Use of deprecated APIs"
-- question = "Who still calls deprecated API versions, and when will they be removed?"
-- description = """
-- Requests that the apiserver marked as deprecated, by API, actor and client, soonest removal first. removed_release is the
-- Kubernetes release that no longer serves the API. It is NULL where none is set, as for core endpoints and
-- componentstatuses and for deprecated versions of custom resources. Watches that are still open count."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["NIST CM-7"]
-- attack = []
-- false_positives = "Controllers of the control plane that watch every API, and the discovery of clients that read all of them."
-- limits = "Only what was called while the log was written: what is stored under an old version, or stands in manifests that nobody applied, is not here. The mark is the serving apiserver's and knows nothing of later releases."
-- [parameters.target_release]
-- type = "string"
-- doc = "Only APIs that this release (such as 1.32) no longer serves, and those without a release of removal."
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
