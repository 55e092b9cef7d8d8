-- title = "Denied, then allowed"
-- question = "Who was refused what another request of theirs got?"
-- description = "One row per actor, resource and verb with both answers; the worst is a secret."
-- severity = "critical"
-- level = "Metadata"
-- limits = "It does not say which came first."
-- message = "{actor}: {refused} refused, {allowed} allowed[ {verb}][ {resource}]"
-- columns.key = ["actor", "verb", "resource"]
-- [[needs]]
-- resources = ["*"]
WITH refused AS (
    SELECT actor, verb, resource, count(*) AS refused
    FROM requests
    WHERE response_code = 403
    GROUP BY actor, verb, resource
),
allowed AS (
    SELECT DISTINCT actor, verb, resource, audit_id
    FROM requests
    WHERE response_code < 300
)
SELECT
    a.actor,
    a.verb,
    a.resource,
    max(r.refused) AS refused,
    count(DISTINCT a.audit_id) AS allowed,
    CASE a.resource WHEN 'secrets' THEN 'critical' WHEN 'pods' THEN 'nonsense' ELSE 'low' END AS severity
FROM allowed AS a
JOIN refused AS r ON a.actor = r.actor AND a.verb = r.verb AND a.resource = r.resource
GROUP BY a.actor, a.verb, a.resource
ORDER BY a.actor, a.verb, a.resource
