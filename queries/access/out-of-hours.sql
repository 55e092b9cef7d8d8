-- title = "Activity out of hours"
-- question = "Which people were active outside working hours?"
-- description = """
-- Requests of people outside the hours in the list working_hours, one row per person, day and client.
-- utc_offset shifts the times to the time zone in which the hours are meant. Requests of paths that
-- are not resources, such as /version, do not count."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.4.1", "SOC 2 CC7.2", "NIST AC-2(12)", "NIST AU-6", "ISO 27001 A.8.15"]
-- attack = ["T1078"]
-- false_positives = "On-call duty, people in other time zones, machines with names of people, programs that keep running, such as dashboards and k9s."
-- limits = "Holidays and daylight saving time are not known: utc_offset is the same for the whole window."
-- message = "{principal}[ as {acted_as}] was active out of hours on {day} ({first_hour} to {last_hour}): {requests} requests, {writes} writes"
-- columns.key = ["principal", "actor", "day", "client_ip", "user_agent"]
-- columns.detail = ["first_seen", "last_seen", "writes", "refused", "peer_ip"]
-- tables = ["working_hours", "system_principals", "expected"]
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}", "changes-outside-pipeline"]
-- tuning = "Give your own hours with --table working_hours=FILE, and utc_offset; set writes_only to true; add on-call accounts to expected, activity recon."
-- [[needs]]
-- resources = ["*"]
-- from = "people"
-- [parameters.utc_offset]
-- type = "number"
-- default = 0
-- doc = "Hours that the time zone of working_hours is ahead of UTC: 1 for CET, -5 for EST."
-- [parameters.writes_only]
-- type = "boolean"
-- default = false
-- doc = "Only people who changed something."
WITH theirs AS (
    SELECT
        requests.*,
        to_timestamp_micros(CAST(stage_timestamp AS BIGINT) + CAST($utc_offset*3600000000 AS BIGINT)) AS local_time
    FROM requests
    WHERE (actor_kind = 'human' OR impersonated_username IS NOT NULL AND principal NOT LIKE 'system:%')
      AND resource IS NOT NULL
      AND stage_timestamp IS NOT NULL
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'recon', namespace)
),
placed AS (
    SELECT
        theirs.*,
        CAST(date_part('isodow', local_time) AS BIGINT) AS local_weekday,
        date_part('hour', local_time) + date_part('minute', local_time) / 60.0 AS local_hour
    FROM theirs
)
SELECT
    CAST(CAST(local_time AS DATE) AS VARCHAR) AS day,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    to_char(min(local_time), '%H:%M') AS first_hour,
    to_char(max(local_time), '%H:%M') AS last_hour,
    count(*) AS requests,
    count(*) FILTER (
        WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND response_code BETWEEN 200 AND 299
            AND resource NOT LIKE '%reviews'
    ) AS writes,
    count(*) FILTER (WHERE response_code IN (401, 403)) AS refused,
    client_ip,
    peer_ip,
    user_agent
FROM placed
WHERE NOT EXISTS (
    SELECT 1
    FROM working_hours
    WHERE weekday = local_weekday
      AND from_hour <= local_hour
      AND to_hour > local_hour
)
GROUP BY CAST(local_time AS DATE), principal, actor, client_ip, peer_ip, user_agent
HAVING NOT $writes_only
    OR count(*) FILTER (
        WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND response_code BETWEEN 200 AND 299
            AND resource NOT LIKE '%reviews'
    ) > 0
ORDER BY day, first_seen, principal, actor, client_ip, peer_ip, user_agent
