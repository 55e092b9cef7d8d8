-- title = "Personal data in the log"
-- question = "What personal data does the audit log itself hold?"
-- description = """
-- Kinds of personal data in the log with how many events and different values have them: names of
-- people (user names that are no machines), e-mail addresses (among them), names that were
-- impersonated, public and private addresses of people's requests, and claims of the identity
-- provider in user.extra. Values are not shown."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["GDPR Art. 5(1)(c)", "GDPR Art. 5(1)(e)", "GDPR Art. 15", "SOC 2 P4.0"]
-- attack = []
-- false_positives = "None: this is an inventory."
-- limits = "Personal data in bodies, object names and commands is not looked for. Machines whose user name does not look like one count as people."
-- message = "{kind}: {distinct_values} values in {events} events"
-- columns.key = ["kind"]
-- columns.detail = ["events", "distinct_values", "columns", "first_seen", "last_seen"]
-- tables = ["system_principals"]
-- triage = ["log-retention", "log-sensitive-bodies", "principal-timeline"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- stage = "any"
WITH people AS (
    SELECT username, impersonated_username, client_ip, user_extra, stage_timestamp
    FROM events
    WHERE username NOT LIKE 'system:%'
      AND NOT listed('system_principals', username)
),
held AS (
    SELECT 'name of a person' AS kind, 'username, actor, principal' AS columns, username AS value, stage_timestamp, 1 AS place
    FROM people
    UNION ALL
    SELECT 'e-mail address' AS kind, 'username, actor, principal' AS columns, username AS value, stage_timestamp, 2 AS place
    FROM people
    WHERE regexp_like(username, '[^@\s]+@[^@\s]+\.[^@\s.]+$')
    UNION ALL
    SELECT 'impersonated name' AS kind, 'impersonated_username' AS columns, impersonated_username AS value, stage_timestamp, 3 AS place
    FROM people
    WHERE impersonated_username NOT LIKE 'system:%'
    UNION ALL
    SELECT CASE WHEN ip_is_public(client_ip) THEN 'public address' ELSE 'private address' END AS kind, 'source_ips, client_ip, peer_ip' AS columns, client_ip AS value, stage_timestamp, 4 AS place
    FROM people
    WHERE client_ip IS NOT NULL
    UNION ALL
    SELECT 'claim of the identity provider' AS kind, 'user_extra' AS columns, claim AS value, stage_timestamp, 5 AS place
    FROM (
        SELECT unnest(map_keys(user_extra)) AS claim, stage_timestamp
        FROM people
        WHERE user_extra IS NOT NULL
    ) AS claims
    WHERE claim NOT LIKE 'authentication.kubernetes.io/%'
)
SELECT
    kind,
    columns,
    count(*) AS events,
    count(DISTINCT value) AS distinct_values,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM held
GROUP BY kind, columns, place
ORDER BY place, kind
