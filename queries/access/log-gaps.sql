-- title = "Gaps in the log"
-- question = "Is the log whole, or are there gaps and lost events?"
-- description = """
-- Signs that the log is not whole. silence: no event for longer than the log's own rhythm explains.
-- restart: a silence that ends with a start of the apiserver. start: the apiserver started, with no
-- silence before. lost end: a request began and never ended, though it was no watch or other
-- stream, and the log goes on; one row per verb and resource, with the number of requests. The view
-- log_gaps says how silences are told from quiet times."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.3.2", "PCI-DSS 10.7.2", "SOC 2 CC7.2", "NIST AU-5", "NIST AU-9", "ISO 27001 A.8.15"]
-- attack = ["T1562.008"]
-- false_positives = "Maintenance, upgrades of the control plane, and quiet test clusters. A request that runs longer than grace has not ended yet."
-- limits = "What the audit policy leaves out is never missed. Lost ends are found only if the policy records the stage RequestReceived. Streams are told apart by cluster and log_stream: events of several apiservers in one file hide each other's gaps. A log that begins late or ends early shows no gap."
-- message = "{kind}[ of {gap_ms} ms from {gap_started_at}][: {requests} requests][ to {verb}][ {resource}]"
-- columns.key = ["kind", "cluster", "log_stream", "gap_started_at", "verb", "api_group", "resource", "subresource"]
-- columns.detail = ["expected_events", "usual_gap_ms", "requests"]
-- tuning = "Raise min_gap where the cluster is quiet, and grace where requests take long."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- stage = "any"
-- [parameters.min_gap]
-- type = "duration"
-- default = "1m"
-- doc = "Only silences at least this long; the view has none under a minute."
-- [parameters.grace]
-- type = "duration"
-- default = "10s"
-- doc = "Only requests without an end that began at least this long before the last event of the log."
WITH ends AS (
    SELECT cluster, log_stream, max(stage_timestamp) AS log_ended_at
    FROM events
    GROUP BY cluster, log_stream
),
signs AS (
    SELECT
        stage_timestamp,
        gap_kind AS kind,
        cluster,
        log_stream,
        CASE WHEN gap_kind <> 'start' THEN gap_started_at END AS gap_started_at,
        CASE WHEN gap_kind <> 'start' THEN gap_ms END AS gap_ms,
        CASE WHEN gap_kind <> 'start' THEN usual_gap_ms END AS usual_gap_ms,
        CASE WHEN gap_kind <> 'start' THEN round(expected_events) END AS expected_events,
        CAST(NULL AS BIGINT) AS requests,
        CAST(NULL AS VARCHAR) AS verb,
        CAST(NULL AS VARCHAR) AS api_group,
        CAST(NULL AS VARCHAR) AS resource,
        CAST(NULL AS VARCHAR) AS subresource,
        audit_id,
        source_file,
        source_line
    FROM log_gaps
    WHERE gap_kind = 'start' OR gap_ms >= $min_gap
    UNION ALL
    SELECT
        min(begun.stage_timestamp) AS stage_timestamp,
        'lost end' AS kind,
        begun.cluster,
        begun.log_stream,
        CAST(NULL AS TIMESTAMP) AS gap_started_at,
        CAST(NULL AS DOUBLE) AS gap_ms,
        CAST(NULL AS DOUBLE) AS usual_gap_ms,
        CAST(NULL AS DOUBLE) AS expected_events,
        count(*) AS requests,
        begun.verb,
        begun.api_group,
        begun.resource,
        begun.subresource,
        first_value(begun.audit_id ORDER BY begun.stage_timestamp, begun.audit_id) AS audit_id,
        first_value(begun.source_file ORDER BY begun.stage_timestamp, begun.audit_id) AS source_file,
        first_value(begun.source_line ORDER BY begun.stage_timestamp, begun.audit_id) AS source_line
    FROM unfinished_requests AS begun
    JOIN ends
        ON begun.cluster IS NOT DISTINCT FROM ends.cluster AND begun.log_stream IS NOT DISTINCT FROM ends.log_stream
    WHERE (begun.verb IN ('watch', 'proxy')) IS NOT TRUE
      AND (begun.subresource IN ('exec', 'attach', 'portforward', 'proxy', 'log')) IS NOT TRUE
      -- Watches of old clients, profiles.
      AND (begun.request_uri LIKE '%/watch/%' OR begun.request_uri LIKE '%watch=%' OR begun.request_uri LIKE '/debug/pprof/%') IS NOT TRUE
      AND CAST(begun.stage_timestamp AS BIGINT) + $grace * 1000 <= CAST(ends.log_ended_at AS BIGINT)
    GROUP BY begun.cluster, begun.log_stream, begun.verb, begun.api_group, begun.resource, begun.subresource
)
SELECT
    stage_timestamp,
    CASE kind WHEN 'silence' THEN 'medium' WHEN 'start' THEN 'info' ELSE 'low' END AS severity,
    kind,
    cluster,
    log_stream,
    gap_started_at,
    gap_ms,
    usual_gap_ms,
    expected_events,
    requests,
    verb,
    api_group,
    resource,
    subresource,
    audit_id,
    source_file,
    source_line
FROM signs
ORDER BY stage_timestamp, kind, cluster, log_stream, verb, api_group, resource, subresource, audit_id
