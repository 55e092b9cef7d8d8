-- doc = """
-- One row per exec, attach or portforward session on a pod, as of its latest stage. Includes sessions that are still
-- open (ended_at is NULL), were refused or failed: see response_code. kubectl opens a session with verb get (WebSocket)
-- or create (SPDY). Success is 101, Switching Protocols: the stream was opened, but the command need not have run. A
-- session seen only in RequestReceived has no response_code and does not show impersonation. Not included: nodes/proxy,
-- through which the kubelet runs commands too, and what was typed, which no audit log holds."""
-- [[column]]
-- name = "kind"
-- type = "string"
-- doc = "exec, attach or portforward."
-- [[column]]
-- name = "command"
-- type = "string"
-- doc = "Command of an exec: its arguments, decoded and joined by a space; on GKE from the label `command.gke.io/command`, since its logs have no URI."
-- [[column]]
-- name = "container"
-- type = "string"
-- doc = "Container that the request names; NULL if the kubelet chose it, and for portforward."
-- [[column]]
-- name = "stdin"
-- type = "boolean"
-- doc = "Whether the input of the client was connected. As in the apiserver, any value but false and 0 means true. NULL for portforward, and on GKE."
-- [[column]]
-- name = "tty"
-- type = "boolean"
-- doc = "Whether the request asked for a terminal; values as for stdin. NULL for portforward, and on GKE."
-- [[column]]
-- name = "started_at"
-- type = "timestamp"
-- doc = "Time at which the request was received."
-- [[column]]
-- name = "ended_at"
-- type = "timestamp"
-- doc = "Time at which the session ended or was refused; NULL if its final stage is not in the input."
SELECT
    events.*,
    subresource AS kind,
    CASE
        WHEN subresource = 'exec' THEN coalesce(exec_command(request_uri), annotations['command.gke.io/command'])
    END AS command,
    CASE WHEN subresource <> 'portforward' THEN query_param(request_uri, 'container') END AS container,
    CASE
        WHEN subresource <> 'portforward' AND request_uri IS NOT NULL AND annotations['command.gke.io/command'] IS NULL
            THEN coalesce(lower(query_param(request_uri, 'stdin')) NOT IN ('false', '0'), false)
    END AS stdin,
    CASE
        WHEN subresource <> 'portforward' AND request_uri IS NOT NULL AND annotations['command.gke.io/command'] IS NULL
            THEN coalesce(lower(query_param(request_uri, 'tty')) NOT IN ('false', '0'), false)
    END AS tty,
    request_received_timestamp AS started_at,
    CASE
        WHEN stage IN ('ResponseComplete', 'Panic') OR (stage = 'ResponseStarted' AND username IS NULL) THEN stage_timestamp
    END AS ended_at
FROM events
WHERE api_group = ''
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
