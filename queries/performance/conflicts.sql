-- title = "Conflicts"
-- question = "Who writes against stale versions, or creates what is already there, and tries again?"
-- description = """
-- Answers with 409 by client and resource: conflict (the object changed since the client read it)
-- or already-exists. share_percent is of the client's writes to the resource; many conflicts mean
-- that two clients fight over an object, or that one retries without reading again."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1"]
-- attack = []
-- false_positives = "Leader election: every candidate that loses conflicts. Clients that create to make sure that an object exists."
-- limits = "Envelopes without the reason of a response show kind NULL."
-- message = "[{actor}|somebody] with [{program}|an unnamed program]: {conflicts} of {writes} writes to {target} ended in [{kind}|409]"
-- columns.key = ["actor", "program", "verb", "api_group", "resource", "subresource", "kind"]
-- columns.detail = ["conflicts", "writes", "share_percent", "objects"]
-- triage = ["writer-fights", "hot-objects", "leader-changes"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
-- columns = ["response_code"]
-- [parameters.min_conflicts]
-- type = "integer"
-- default = 5
-- doc = "Only clients with at least this many."
WITH written AS (
    SELECT
        actor, actor_kind, split_part(user_agent, '/', 1) AS program, verb, api_group, resource, subresource, namespace, object_name,
        response_code, request_received_timestamp, stage_timestamp,
        CASE WHEN response_code = 409 THEN CASE response_reason WHEN 'AlreadyExists' THEN 'already-exists' WHEN 'Conflict' THEN 'conflict' END END AS kind,
        count(*) OVER (PARTITION BY actor, split_part(user_agent, '/', 1), verb, api_group, resource, subresource) AS writes
    FROM write_requests
)
SELECT
    actor,
    actor_kind,
    program,
    verb,
    api_group,
    resource,
    subresource,
    concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')) AS target,
    kind,
    count(*) AS conflicts,
    max(writes) AS writes,
    round(100.0*count(*) / max(writes), 2) AS share_percent,
    count(DISTINCT concat_ws('/', namespace, object_name)) AS objects,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM written
WHERE response_code = 409
GROUP BY actor, actor_kind, program, verb, api_group, resource, subresource, kind
HAVING count(*) >= $min_conflicts
ORDER BY conflicts DESC, actor, actor_kind, program, verb, api_group, resource, subresource, kind
