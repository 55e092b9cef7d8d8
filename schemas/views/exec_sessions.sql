-- doc = """
-- exec, attach and portforward on pods, one row per session, as its latest stage tells it. Sessions that are still
-- open are rows too (ended_at is NULL), and so are those that were refused or failed: see response_code. kubectl
-- opens a session with verb get (WebSocket) or create (SPDY). Success is 101, Switching Protocols: it says that the
-- stream was opened, not that the command ran. A session of which only RequestReceived was seen has no
-- response_code and does not show impersonation. Not here: nodes/proxy, through which the kubelet runs commands too, and
-- what was typed into the session, which no audit log holds."""
-- [[column]]
-- name = "kind"
-- type = "string"
-- doc = "exec, attach or portforward."
-- [[column]]
-- name = "command"
-- type = "string"
-- doc = "The command of an exec, its arguments decoded and joined by a space."
-- [[column]]
-- name = "container"
-- type = "string"
-- doc = "The container asked for; NULL when the request left the choice to the kubelet, and for portforward."
-- [[column]]
-- name = "stdin"
-- type = "boolean"
-- doc = "Whether the client's input was connected. As in the apiserver any value but false and 0 means true. NULL for portforward."
-- [[column]]
-- name = "tty"
-- type = "boolean"
-- doc = "Whether a terminal was asked for, read as stdin is. NULL for portforward."
-- [[column]]
-- name = "started_at"
-- type = "timestamp"
-- doc = "When the request was received."
-- [[column]]
-- name = "ended_at"
-- type = "timestamp"
-- doc = "When the session ended or was refused; NULL while its final stage has not been seen."
SELECT
    events.*,
    subresource AS kind,
    CASE WHEN subresource = 'exec' THEN exec_command(request_uri) END AS command,
    CASE WHEN subresource <> 'portforward' THEN query_param(request_uri, 'container') END AS container,
    CASE
        WHEN subresource <> 'portforward' AND request_uri IS NOT NULL
            THEN coalesce(lower(query_param(request_uri, 'stdin')) NOT IN ('false', '0'), false)
    END AS stdin,
    CASE
        WHEN subresource <> 'portforward' AND request_uri IS NOT NULL
            THEN coalesce(lower(query_param(request_uri, 'tty')) NOT IN ('false', '0'), false)
    END AS tty,
    request_received_timestamp AS started_at,
    CASE
        WHEN stage IN ('ResponseComplete', 'Panic') OR (stage = 'ResponseStarted' AND username IS NULL) THEN stage_timestamp
    END AS ended_at
FROM events
WHERE (api_group IS NULL OR api_group = '')
  AND resource = 'pods'
  AND subresource IN ('exec', 'attach', 'portforward')
  AND verb IN ('create', 'get')
-- The stages of one session, as in unfinished_requests: the final one, else the latest.
QUALIFY row_number() OVER (
        PARTITION BY audit_id, request_received_timestamp, username, request_uri
        ORDER BY
            CASE
                WHEN stage IN ('ResponseComplete', 'Panic') OR (stage = 'ResponseStarted' AND username IS NULL) THEN 3
                WHEN stage = 'ResponseStarted' THEN 2
                WHEN stage = 'RequestReceived' THEN 1
                ELSE 0
            END DESC,
            stage_timestamp DESC
    ) = 1
