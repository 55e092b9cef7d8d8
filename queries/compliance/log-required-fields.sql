-- title = "Fields that each record needs"
-- question = "Do the records say who did what, when, to what, from where, and with what result?"
-- description = """
-- One row per detail that standards ask for, with the share of requests that have it: user, action,
-- object, time, result, origin. missing counts the requests without it. A 401 has no user by nature
-- and is not counted as missing one."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.2", "NIST AU-3", "NIST AU-8", "ISO 27001 A.8.15", "SOC 2 CC7.2"]
-- attack = []
-- false_positives = "None: this is an inventory."
-- limits = "A record can be wrong all the same: client_ip may be claimed by the client (peer_ip may not), and so is the user agent. Envelopes of providers leave fields out: see `auditql formats`."
-- message = "{detail}: {share_percent}% of {requests} requests ({missing} without)"
-- columns.key = ["detail"]
-- columns.detail = ["fields", "share_percent", "missing"]
-- triage = ["log-level-coverage", "log-truncation"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
WITH counted AS (
    SELECT
        count(*) AS requests,
        count(CASE WHEN username IS NOT NULL OR response_code = 401 OR stage = 'ResponseStarted' THEN 1 END) AS with_user,
        count(CASE WHEN verb IS NOT NULL THEN 1 END) AS with_action,
        count(CASE WHEN resource IS NOT NULL OR request_uri IS NOT NULL THEN 1 END) AS with_object,
        count(CASE WHEN request_received_timestamp IS NOT NULL AND stage_timestamp IS NOT NULL THEN 1 END) AS with_time,
        count(response_code) AS with_result,
        count(peer_ip) AS with_origin,
        count(user_agent) AS with_program,
        count(CASE WHEN audit_id IS NOT NULL THEN 1 END) AS with_id,
        count(CASE WHEN authz_decision IS NOT NULL OR response_code IN (401, 429) OR username IS NULL THEN 1 END) AS with_decision
    FROM requests
    HAVING count(*) > 0
),
listed_details AS (
    SELECT
        requests,
        unnest(make_array('user', 'action', 'object', 'time', 'result', 'origin', 'program', 'request id', 'decision and reason')) AS detail,
        unnest(make_array('username', 'verb', 'resource, namespace, name; request_uri', 'request_received_timestamp, stage_timestamp', 'response_code', 'peer_ip, client_ip', 'user_agent', 'audit_id', 'authz_decision, authz_reason')) AS fields,
        unnest(make_array(with_user, with_action, with_object, with_time, with_result, with_origin, with_program, with_id, with_decision)) AS present,
        unnest(make_array(1, 2, 3, 4, 5, 6, 7, 8, 9)) AS place
    FROM counted
)
SELECT
    detail,
    fields,
    requests,
    requests - present AS missing,
    round(100.0*present / requests, 2) AS share_percent
FROM listed_details
ORDER BY place
