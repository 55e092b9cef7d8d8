-- title = "Sessions"
-- question = "When was somebody active, from where, with what, and what did they write?"
-- description = """
-- Sessions of people: what one person did from one address with one program without a pause of more
-- than 30 minutes. One row per session, with its begin, end, requests, writes and refusals. Service
-- accounts, nodes and others are left out, unless a principal is named or kind says otherwise."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.1", "PCI-DSS 10.2.1.2", "SOC 2 CC6.1", "NIST AC-2", "NIST AU-14", "ISO 27001 A.8.15"]
-- attack = ["T1078"]
-- false_positives = "None: this is an inventory."
-- limits = "The log has no logins and logouts: a session is a guess from pauses. Two programs used at once are two sessions. The user agent is what the client claims, and client_ip can be forged."
-- message = "{principal}[ from {client_ip}][ with {user_agent}]: {requests} requests in {minutes} min, {writes} writes, {refusals} refused"
-- columns.key = ["principal", "client_ip", "user_agent", "started_at"]
-- columns.detail = ["ended_at", "requests", "writes", "refusals", "peer_ip"]
-- triage = ["principal-timeline principal={principal}", "secrets-read actor={actor}", "pod-exec-sessions actor={actor}"]
-- tuning = "Name a principal, or raise min_requests."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["request_received_timestamp"]
-- [parameters.principal]
-- type = "string"
-- doc = "Only sessions of this user, and of others who acted as this user."
-- [parameters.kind]
-- type = "string"
-- doc = "Only sessions of actors of this kind: human (the default), serviceaccount, node, control-plane, anonymous or cloud; all for every kind."
-- [parameters.min_requests]
-- type = "integer"
-- default = 1
-- doc = "Only sessions with at least this many requests."
SELECT
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    session_started_at AS started_at,
    session_ended_at AS ended_at,
    round((CAST(session_ended_at AS BIGINT) - CAST(session_started_at AS BIGINT)) / 60000000.0, 1) AS minutes,
    session_requests AS requests,
    session_writes AS writes,
    session_refusals AS refusals,
    client_ip,
    peer_ip,
    user_agent,
    stage_timestamp,
    audit_id,
    source_file,
    source_line
FROM sessions
WHERE session_requests >= $min_requests
  AND ($principal IS NULL OR principal = $principal OR actor = $principal)
  AND (
      $kind IN ('all', actor_kind)
      OR $kind IS NULL AND ($principal IS NOT NULL OR actor_kind = 'human' OR principal NOT LIKE 'system:%' AND impersonated_username IS NOT NULL)
  )
ORDER BY started_at, principal, client_ip, user_agent, source_file, source_offset
