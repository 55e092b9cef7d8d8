-- doc = """
-- One row per request whose final stage is not in the input, as of its latest stage (more if that stage was delivered
-- more than once): watches and other streams that are still open, requests that ended outside the log or the time
-- window, and lost events (the apiserver loses the end of a patch whose body is not JSON). The stages of a request share
-- audit_id, request_received_timestamp, username and request_uri; audit_id alone is chosen by the client. RequestReceived
-- shows neither impersonation nor whether the request was allowed."""
-- [[column]]
-- name = "last_stage"
-- type = "string"
-- doc = "Latest stage in the input: ResponseStarted (answered, still running) or RequestReceived."
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
