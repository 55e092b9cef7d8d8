-- title = "Reused audit IDs"
-- question = "Which audit IDs are shared by different requests?"
-- description = """
-- A client can choose the ID of its request (header Audit-ID). By reusing an ID, an attacker can
-- make a tool take a request for another one, or for a duplicate, and show only one of them. One
-- row per ID that stands for more than one request. All stages of a request have the same time of
-- receipt, user and URI; requests that differ in any of these are different."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1", "PCI-DSS 10.3.2", "NIST AU-9", "NIST AU-10", "ISO 27001 A.8.15"]
-- attack = ["T1562.008"]
-- false_positives = "Logs of an aggregated API server beside those of the apiserver that forwarded the request and kept its ID. Clients that send a fixed Audit-ID."
-- limits = "Only requests in the input are compared."
-- message = "the audit ID {audit_id} stands for {requests} different requests"
-- columns.key = ["audit_id"]
-- columns.detail = ["users", "request_uris", "first_seen", "last_seen"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- stage = "any"
-- columns = ["audit_id"]
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
