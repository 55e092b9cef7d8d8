-- title = "Clocks that differ"
-- question = "Are the clocks of nodes and control plane synchronised?"
-- description = """
-- Every renewal of a lease says when its holder thinks it is (renewTime); the apiserver notes when
-- it came. One row per holder: the median and the largest difference in milliseconds (positive: the
-- holder's clock is behind, or the request took long). A median of more than max_skew either way is
-- low, any other info. Only clocks of holders and apiserver are compared, so a common error does
-- not show."""
-- severity = "low"
-- level = "Request"
-- controls = ["PCI-DSS 10.6.1", "PCI-DSS 10.6.3", "NIST AU-8", "ISO 27001 A.8.17"]
-- attack = []
-- false_positives = "Holders with a slow connection: their renewals arrive late."
-- limits = "Needs leases at level Request; most policies record them at Metadata or not at all. With several apiservers, the difference is to the one that was asked. It does not show how the clocks are set (NTP)."
-- message = "{holder} differs by {p50_ms} ms (largest {max_ms} ms) over {renewals} renewals"
-- columns.key = ["holder"]
-- columns.detail = ["p50_ms", "min_ms", "max_ms", "renewals"]
-- triage = ["node-heartbeat-gaps", "log-required-fields"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = ["leases.coordination.k8s.io"]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.max_skew]
-- type = "duration"
-- default = "1s"
-- doc = "A median of more than this is low."
WITH renewals AS (
    SELECT
        principal AS holder,
        request_received_timestamp,
        CAST(CAST(request_received_timestamp AS BIGINT) - CAST(arrow_cast(body_text(request_object, 'spec.renewTime'), 'Timestamp(Microsecond, Some("UTC"))') AS BIGINT) AS DOUBLE) / 1000 AS late_ms
    FROM requests
    WHERE api_group = 'coordination.k8s.io'
      AND resource = 'leases'
      AND verb IN ('update', 'patch')
      AND response_code BETWEEN 200 AND 299
      AND regexp_like(body_text(request_object, 'spec.renewTime'), '^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$')
)
SELECT
    CASE WHEN abs(percentile_cont(0.5) WITHIN GROUP (ORDER BY late_ms)) > $max_skew THEN 'low' ELSE 'info' END AS severity,
    holder,
    count(*) AS renewals,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY late_ms), 3) AS p50_ms,
    round(min(late_ms), 3) AS min_ms,
    round(max(late_ms), 3) AS max_ms,
    min(request_received_timestamp) AS first_seen,
    max(request_received_timestamp) AS last_seen
FROM renewals
GROUP BY holder
ORDER BY abs(percentile_cont(0.5) WITHIN GROUP (ORDER BY late_ms)) DESC, holder
