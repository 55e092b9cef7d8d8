-- doc = """
-- Requests of the input that have no final stage in it, one row each (more if that stage was delivered more than once), as
-- their latest stage tells it: watches and
-- other streams that are still open, requests whose end lies outside the log or the time window, and events that
-- were lost (the apiserver loses the end of a patch whose body is not JSON). The stages of one request have audit_id,
-- request_received_timestamp, username and request_uri in common; audit_id alone is chosen by the client. A
-- RequestReceived says neither who was impersonated nor whether the request was allowed."""
-- [[column]]
-- name = "last_stage"
-- type = "string"
-- doc = "The latest stage that was seen: ResponseStarted (answered, still running) or RequestReceived."
SELECT begun.*, stage AS last_stage
FROM (
    SELECT events.*
    FROM events
    WHERE (stage IN ('ResponseComplete', 'Panic') OR (stage = 'ResponseStarted' AND username IS NULL)) IS NOT TRUE
) AS begun
-- The few that are not final are looked for among the many that are, and not the other way round.
LEFT ANTI JOIN (
    SELECT audit_id, request_received_timestamp, username, request_uri
    FROM requests
) AS ended
    ON (begun.audit_id IS NOT DISTINCT FROM ended.audit_id)
    AND (begun.request_received_timestamp IS NOT DISTINCT FROM ended.request_received_timestamp)
    AND (begun.username IS NOT DISTINCT FROM ended.username)
    AND (begun.request_uri IS NOT DISTINCT FROM ended.request_uri)
-- Of the stages before the final one, RequestReceived and ResponseStarted, the later one is also the greater text.
QUALIFY stage IS NOT DISTINCT FROM max(stage) OVER (
    PARTITION BY begun.audit_id, begun.request_received_timestamp, begun.username, begun.request_uri
)
