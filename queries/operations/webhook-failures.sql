-- title = "Admission webhooks that failed"
-- question = "Which admission webhooks could not be reached, and what happened to the requests?"
-- description = """
-- Outages of admission webhooks: failed-closed (failurePolicy Fail: the request was refused with
-- 500) or failed-open (failurePolicy Ignore: it went on unchecked). Failures of one webhook that
-- follow each other within gap are one row. Where a webhook failed open, the objects that were let
-- through unchecked are still there."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.7.2", "SOC 2 CC7.2", "SOC 2 A1.2", "NIST SI-4", "NIST SC-24", "ISO 27001 A.8.16"]
-- attack = ["T1562.001"]
-- false_positives = "Rollouts of the webhook itself."
-- limits = "The log names a validating webhook only when it fails or refuses. Where a delivery drops annotations, failed-open does not show."
-- message = "{mechanism} {webhook}: {decision}, {requests} requests from {first_seen} to {last_seen}"
-- columns.key = ["mechanism", "webhook", "decision", "first_seen"]
-- columns.detail = ["requests", "targets", "namespaces", "message"]
-- triage = ["webhook-cost", "error-bursts", "security-control-changes"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
-- columns = ["response_code"]
-- [parameters.gap]
-- type = "duration"
-- default = "10m"
-- doc = "An outage ends after this time without a failure."
WITH failures AS (
    SELECT
        mechanism, controller AS webhook, decision, stage_timestamp, namespace, actor, message AS failure, cluster, audit_id, source_file, source_offset,
        concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')) AS target
    FROM admission_decisions
    WHERE decision IN ('failed-open', 'failed-closed')
      AND mechanism IN ('mutating-webhook', 'validating-webhook', 'webhook', 'image-policy')
),
spaced AS (
    SELECT
        failures.*,
        CASE
            WHEN CAST(CAST(stage_timestamp AS BIGINT) - CAST(lag(stage_timestamp) OVER in_time AS BIGINT) AS DOUBLE) / 1000 <= $gap THEN 0
            ELSE 1
        END AS begins
    FROM failures
    WINDOW in_time AS (PARTITION BY cluster, mechanism, webhook, decision ORDER BY stage_timestamp, audit_id, source_file, source_offset)
),
numbered AS (
    SELECT
        spaced.*,
        sum(begins) OVER (
            PARTITION BY cluster, mechanism, webhook, decision
            ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS outage
    FROM spaced
)
SELECT
    mechanism,
    webhook,
    decision,
    count(*) AS requests,
    array_agg(DISTINCT target ORDER BY target) AS targets,
    array_agg(DISTINCT namespace ORDER BY namespace) AS namespaces,
    count(DISTINCT actor) AS actors,
    min(failure) AS message,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM numbered
GROUP BY cluster, mechanism, webhook, decision, outage
ORDER BY first_seen, mechanism, webhook, decision
