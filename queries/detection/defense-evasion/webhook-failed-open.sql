-- title = "Admission webhooks that failed open"
-- question = "Which requests went past an admission webhook because it could not be reached?"
-- description = """
-- Requests that went on although a webhook or image policy did not answer (failurePolicy Ignore), per
-- webhook and outage: failures that follow each other within `gap` are one outage. medium if the webhook
-- validates, low if it mutates: then a default or a sidecar is missing."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1562.001"]
-- controls = ["NIST CM-6", "NIST SC-24"]
-- false_positives = "A webhook that restarts or is too slow. That is worth mending, too: who can make it slow can pass it."
-- tuning = "ignored_webhooks leaves out webhooks that may fail open, such as those of the provider. A larger gap makes fewer, longer outages."
-- limits = "The apiserver records failed-open calls in annotations; deliveries that drop annotations do not show them. A failure does not say whether somebody caused it: compare with deletes and scalings of the webhook's workload."
-- message = "webhook {webhook} failed open ({requests}×, principals: {principals})"
-- columns.key = ["mechanism", "webhook"]
-- columns.detail = ["principal_names", "resources", "first_seen", "last_seen"]
-- differs = "None of the other rule sets looks at failed-open annotations. Kubernetes 1.36 writes failed-open.mutation.webhook…, not mutating."
-- triage = ["object-history resource=validatingwebhookconfigurations", "denied-requests"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
-- columns = ["annotations"]
-- [parameters.gap]
-- type = "duration"
-- default = "10m"
-- doc = "A pause longer than this begins a new outage."
-- [parameters.ignored_webhooks]
-- type = "strings"
-- default = ["pod-ready.config.common-webhooks.networking.gke.io", "warden-mutating.common-webhooks.networking.gke.io"]
-- doc = "Webhooks that may fail open."
SELECT
    max(stage_timestamp) AS stage_timestamp,
    CASE WHEN mechanism = 'mutating-webhook' THEN 'low' ELSE 'medium' END AS severity,
    mechanism,
    webhook,
    count(*) AS requests,
    count(DISTINCT principal) AS principals,
    array_agg(DISTINCT principal ORDER BY principal) AS principal_names,
    array_agg(DISTINCT resource ORDER BY resource) AS resources,
    count(*) FILTER (WHERE response_code BETWEEN 200 AND 299) AS succeeded,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM (
    SELECT
        paced.*,
        count(CASE WHEN idle_ms IS NULL OR idle_ms > $gap THEN 1 END) OVER (
            PARTITION BY cluster, mechanism, webhook
            ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS outage
    FROM (
        SELECT
            cluster, stage_timestamp, mechanism, coalesce(controller, 'image policy') AS webhook, principal, resource,
            response_code, audit_id, source_file, source_offset,
            CAST(
                CAST(stage_timestamp AS BIGINT) - CAST(lag(stage_timestamp) OVER (
                    PARTITION BY cluster, mechanism, coalesce(controller, 'image policy')
                    ORDER BY stage_timestamp, audit_id, source_file, source_offset
                ) AS BIGINT) AS DOUBLE
            ) / 1000 AS idle_ms
        FROM admission_decisions
        WHERE decision = 'failed-open'
          AND ($ignored_webhooks IS NULL OR (coalesce(controller, 'image policy') = ANY($ignored_webhooks)) IS NOT TRUE)
    ) AS paced
) AS outages
GROUP BY cluster, mechanism, webhook, outage
ORDER BY first_seen, mechanism, webhook
