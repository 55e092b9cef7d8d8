-- title = "Audit IDs of several requests"
-- question = "Which audit IDs are shared by different requests?"
-- description = """
-- A client may choose the ID of its request (header Audit-ID). Who sends one that was used before hopes that a tool takes his request for
-- another, or for a copy of it, and shows one of the two. Here is every ID that stands for more than one request: by time of
-- arrival, user and URI, which all stages of a request have in common."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1", "PCI-DSS 10.3.2", "NIST AU-9", "NIST AU-10", "ISO 27001 A.8.15"]
-- attack = ["T1562.008"]
-- false_positives = "The logs of an aggregated API server beside those of the apiserver that passed the request on to it: it keeps the ID. Clients that send a fixed Audit-ID."
-- limits = "Requests in logs that are not in the input are not seen."
WITH shared AS (
    SELECT audit_id
    FROM events
    WHERE audit_id IS NOT NULL
    GROUP BY audit_id
    HAVING min(request_received_timestamp) <> max(request_received_timestamp)
        OR min(username) <> max(username)
        OR count(username) NOT IN (0, count(*))
        OR min(request_uri) <> max(request_uri)
)
SELECT
    audit_id,
    count(*) AS requests,
    count(DISTINCT username) AS usernames,
    array_sort(array_agg(DISTINCT username), 'ASC', 'NULLS LAST') AS users,
    array_sort(array_agg(DISTINCT request_uri), 'ASC', 'NULLS LAST') AS request_uris,
    min(request_received_timestamp) AS first_seen,
    max(request_received_timestamp) AS last_seen
FROM (
    SELECT DISTINCT audit_id, request_received_timestamp, username, request_uri
    FROM events
    WHERE audit_id IN (SELECT audit_id FROM shared)
) AS requests_by_id
GROUP BY audit_id
HAVING count(*) > 1
ORDER BY requests DESC, audit_id
