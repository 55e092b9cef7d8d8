-- title = "Deleted service accounts that go on"
-- question = "Were tokens of a deleted service account still accepted?"
-- description = """
-- Service accounts that the log shows deleted, not created again since, and whose requests were
-- authenticated after that. The apiserver looks the account up and should refuse its tokens (401);
-- it keeps a decision for some seconds, hence grace."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["CIS 1.2.21", "PCI-DSS 8.2.5", "NIST AC-2(3)", "NIST IA-5", "ISO 27001 A.5.18"]
-- attack = ["T1550.001"]
-- false_positives = "Requests that began before the account went."
-- limits = "A user of the same name from another authenticator (a webhook, a certificate) looks alike. Deletion by deletecollection names no account and is not seen, nor is that of its namespace."
-- message = "{principal} was deleted at {deleted_at} and made {requests} requests since ({succeeded} succeeded)"
-- columns.key = ["principal", "deleted_at"]
-- columns.detail = ["requests", "succeeded", "client_ips", "first_seen", "last_seen"]
-- tuning = "Raise grace where many apiservers share the load."
-- triage = ["principal-timeline principal={principal}", "token-lineage", "who-deleted resource=serviceaccounts"]
-- [[needs]]
-- verbs = ["delete", "create"]
-- resources = ["serviceaccounts"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "service-accounts"
-- [parameters.grace]
-- type = "duration"
-- default = "1m"
-- doc = "Requests count from this long after the deletion."
WITH lives AS (
    SELECT
        cluster,
        'system:serviceaccount:' || namespace || ':' || object_name AS deleted_account,
        operation,
        stage_timestamp AS deleted_at,
        lead(stage_timestamp) OVER (PARTITION BY cluster, namespace, object_name ORDER BY stage_timestamp, audit_id, source_file, source_offset) AS created_again_at
    FROM object_writes
    WHERE api_group = ''
      AND resource = 'serviceaccounts'
      AND write_kind = 'object'
      AND operation IN ('create', 'delete')
      AND object_name <> ''
)
SELECT
    CASE WHEN count(*) FILTER (WHERE response_code < 400) > 0 THEN 'high' ELSE 'low' END AS severity,
    principal,
    deleted_at,
    count(*) AS requests,
    count(*) FILTER (WHERE response_code < 400) AS succeeded,
    array_agg(DISTINCT client_ip ORDER BY client_ip) FILTER (WHERE client_ip IS NOT NULL) AS client_ips,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM requests
JOIN lives
    ON requests.principal = lives.deleted_account
    AND (requests.cluster IS NOT DISTINCT FROM lives.cluster)
WHERE lives.operation = 'delete'
  AND CAST(CAST(request_received_timestamp AS BIGINT) - CAST(deleted_at AS BIGINT) AS DOUBLE) / 1000 > $grace
  AND (created_again_at IS NULL OR request_received_timestamp < created_again_at)
  AND username LIKE 'system:serviceaccount:%'
GROUP BY principal, deleted_at
ORDER BY succeeded DESC, requests DESC, principal, deleted_at
