-- title = "Audit level lowered"
-- question = "What does the audit log record in less detail than before?"
-- description = """
-- Resources whose requests were recorded with bodies (level Request or RequestResponse), and from some
-- moment on only at a lower level, for the same principals, verbs and namespaces: somebody changed the
-- audit policy. One row per verb and resource, with the moment of the change."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1562.008"]
-- controls = ["PCI-DSS 10.2.1", "NIST AU-12", "ISO 27001 A.8.15", "SOC 2 CC7.2"]
-- false_positives = "A planned change of the audit policy. An input that mixes clusters or apiservers with different policies: give each a name with --cluster."
-- tuning = "Raise min_requests where rules of the policy pick single objects by name."
-- limits = "A level of None leaves no events, so requests that are no longer recorded at all are not found: compare with log-gap and top-clients. Only what the same principals do before and after the change can be compared. The policy itself is a file of the apiserver and not in its log."
-- message = "{verb} {resource}[/{subresource}] is recorded at {level_after} since {changed_at}, at {level_before} before"
-- columns.key = ["cluster", "verb", "api_group", "resource", "subresource", "level_before", "level_after"]
-- columns.detail = ["requests_before", "requests_after", "principals"]
-- triage = ["log-gaps", "top-clients"]
-- [[needs]]
-- resources = ["*"]
-- [parameters.min_requests]
-- type = "integer"
-- default = 5
-- doc = "Requests that must be seen before and after the change."
WITH counted AS (
    SELECT
        cluster, verb, api_group, resource, subresource, namespace, principal, depth,
        count(*) AS requests,
        min(stage_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen
    FROM (
        SELECT
            cluster, stage_timestamp, verb, api_group, resource, subresource, namespace, principal,
            CASE level WHEN 'RequestResponse' THEN 3 WHEN 'Request' THEN 2 WHEN 'Metadata' THEN 1 END AS depth
        FROM requests
        WHERE resource IS NOT NULL AND principal IS NOT NULL
    ) AS ranked
    WHERE depth IS NOT NULL
    GROUP BY cluster, verb, api_group, resource, subresource, namespace, principal, depth
),
placed AS (
    SELECT
        counted.*,
        max(depth) OVER (PARTITION BY cluster, verb, api_group, resource, subresource) AS best,
        max(depth) OVER (PARTITION BY cluster, verb, api_group, resource, subresource, namespace, principal) AS own_best
    FROM counted
),
dated AS (
    SELECT
        placed.*,
        max(CASE WHEN depth = best THEN last_seen END) OVER (
            PARTITION BY cluster, verb, api_group, resource, subresource
        ) AS last_best,
        min(CASE WHEN depth < best AND own_best = best THEN first_seen END) OVER (
            PARTITION BY cluster, verb, api_group, resource, subresource
        ) AS first_less
    FROM placed
    WHERE best > 1
)
SELECT
    min(CASE WHEN depth < best THEN first_seen END) AS stage_timestamp,
    'medium' AS severity,
    cluster,
    verb,
    api_group,
    resource,
    subresource,
    CASE best WHEN 3 THEN 'RequestResponse' ELSE 'Request' END AS level_before,
    CASE max(CASE WHEN depth < best THEN depth END) WHEN 2 THEN 'Request' ELSE 'Metadata' END AS level_after,
    min(CASE WHEN depth < best THEN first_seen END) AS changed_at,
    sum(CASE WHEN depth = best THEN requests END) AS requests_before,
    sum(CASE WHEN depth < best THEN requests END) AS requests_after,
    array_agg(DISTINCT principal ORDER BY principal) AS principals
FROM dated
-- Nothing was recorded in full after the change, and nothing of these principals in less detail before it.
WHERE first_less > last_best AND own_best = best
GROUP BY cluster, verb, api_group, resource, subresource, best
HAVING sum(CASE WHEN depth = best THEN requests END) >= $min_requests
   AND sum(CASE WHEN depth < best THEN requests END) >= $min_requests
ORDER BY changed_at, cluster, verb, api_group, resource, subresource
