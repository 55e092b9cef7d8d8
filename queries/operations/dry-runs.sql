-- title = "Dry runs"
-- question = "Who tries changes without making them?"
-- description = """
-- Requests with dryRun=All by actor and resource, with what would have come of them. Other queries
-- leave dry runs out of what was changed."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["NIST CM-3", "SOC 2 CC8.1"]
-- attack = []
-- false_positives = "kubectl diff, Helm and GitOps controllers, which compare before they apply."
-- limits = "A delete or eviction can ask for a dry run in its body: at level Metadata that does not show. kubectl --dry-run=client sends nothing."
-- message = "[{actor}|somebody]: {requests} dry runs of {verb} {target}, {refused} refused"
-- columns.key = ["actor", "verb", "api_group", "resource", "subresource"]
-- columns.detail = ["requests", "refused", "failed", "namespaces", "last_seen"]
-- triage = ["dry-run-probing", "change-log"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
SELECT
    actor,
    actor_kind,
    verb,
    api_group,
    resource,
    subresource,
    concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')) AS target,
    count(*) AS requests,
    count(*) FILTER (WHERE response_code IN (401, 403)) AS refused,
    count(*) FILTER (WHERE response_code >= 400 AND response_code NOT IN (401, 403)) AS failed,
    count(DISTINCT nullif(namespace, '')) AS namespaces,
    min(user_agent) AS user_agent,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM requests
WHERE dry_run LIKE '%All%'
  AND resource IS NOT NULL
GROUP BY actor, actor_kind, verb, api_group, resource, subresource
ORDER BY requests DESC, actor, api_group, resource, subresource, verb
