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
SELECT events.*, stage AS last_stage
FROM (
    -- Of the stages before the final one, RequestReceived and ResponseStarted, the later one is also the greater text.
    SELECT audit_id, request_received_timestamp, username, request_uri, max(stage) AS last_stage
    FROM events
    GROUP BY audit_id, request_received_timestamp, username, request_uri
    HAVING bool_or(stage IN ('ResponseComplete', 'Panic') OR (stage = 'ResponseStarted' AND username IS NULL)) IS NOT TRUE
) AS unfinished
-- The few keys are the side that is kept in memory. A window over all events would sort the whole log, bodies included.
RIGHT SEMI JOIN events
    ON (unfinished.audit_id IS NOT DISTINCT FROM events.audit_id)
    AND (unfinished.request_received_timestamp IS NOT DISTINCT FROM events.request_received_timestamp)
    AND (unfinished.username IS NOT DISTINCT FROM events.username)
    AND (unfinished.request_uri IS NOT DISTINCT FROM events.request_uri)
    AND (unfinished.last_stage IS NOT DISTINCT FROM events.stage)
WHERE events.stage IS NULL
   OR events.stage NOT IN ('ResponseComplete', 'Panic')
