-- title = "Slow requests"
-- question = "Which requests took long, and what were they waiting for?"
-- description = """
-- Requests that took at least threshold_ms, slowest first; by default half a second, from which on
-- the apiserver logs a breakdown: milliseconds in the priority-and-fairness queue, in admission
-- webhooks, in etcd, in writing the response, and so on. slowest_part is the largest part, or NULL
-- if no part took more than a quarter of the time. Parts can overlap and do not add up to the
-- total. Requests that are long by nature are left out: watch, exec, attach, portforward, log,
-- proxy and profiles."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.2"]
-- attack = []
-- false_positives = "Requests with ?timeout= that wait on purpose, and lists across a whole cluster, for which the service level objective allows up to 30 seconds."
-- limits = "Times are measured in the apiserver, from receipt to the end of the response, without the network and the client. A client that reads its response slowly makes the request slow (response-write). Unfinished requests are not included."
-- message = "{total_ms} ms: [{actor}|somebody], {verb}[ {resource}| {request_uri}][/{subresource}][ {name}][ in {namespace}][, slowed by {slowest_part}]"
-- columns.key = ["actor", "verb", "api_group", "resource", "subresource", "namespace", "name"]
-- columns.detail = ["total_ms", "slowest_part", "response_code", "user_agent"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["latency_ms"]
-- [parameters.threshold_ms]
-- type = "number"
-- default = 500.0
-- doc = "Only requests that took at least this many milliseconds."
WITH timed AS (
    SELECT
        stage_timestamp, verb, api_group, resource, subresource, namespace, name, request_uri, response_code, actor,
        user_agent, audit_id, source_file, source_line, source_offset,
        coalesce(go_duration(annotations['apiserver.latency.k8s.io/total']), latency_ms) AS total_ms,
        go_duration(annotations['apiserver.latency.k8s.io/authentication']) AS authentication_ms,
        go_duration(annotations['apiserver.latency.k8s.io/authorization']) AS authorization_ms,
        go_duration(annotations['apiserver.latency.k8s.io/apf-queue-wait']) AS queue_ms,
        go_duration(annotations['apiserver.latency.k8s.io/decode-response-object']) AS decode_ms,
        go_duration(annotations['apiserver.latency.k8s.io/mutating-webhook']) AS mutating_webhook_ms,
        go_duration(annotations['apiserver.latency.k8s.io/validating-webhook']) AS validating_webhook_ms,
        go_duration(annotations['apiserver.latency.k8s.io/etcd']) AS etcd_ms,
        go_duration(annotations['apiserver.latency.k8s.io/transform-response-object']) AS transform_ms,
        go_duration(annotations['apiserver.latency.k8s.io/serialize-response-object']) AS serialize_ms,
        go_duration(annotations['apiserver.latency.k8s.io/response-write']) AS response_write_ms
    FROM requests
    WHERE (verb IN ('watch', 'proxy')) IS NOT TRUE
      AND (subresource IN ('exec', 'attach', 'portforward', 'log', 'proxy')) IS NOT TRUE
      AND (resource IS NULL AND request_uri LIKE '/debug/pprof/%') IS NOT TRUE
)
SELECT
    stage_timestamp,
    total_ms,
    CASE nullif(
            -- A part that took less than a quarter of the time does not explain it.
            greatest(
                total_ms / 4, authentication_ms, authorization_ms, queue_ms, decode_ms, mutating_webhook_ms,
                validating_webhook_ms, etcd_ms, transform_ms, serialize_ms, response_write_ms
            ),
            total_ms / 4
        )
        WHEN mutating_webhook_ms THEN 'mutating-webhook'
        WHEN validating_webhook_ms THEN 'validating-webhook'
        WHEN etcd_ms THEN 'etcd'
        WHEN queue_ms THEN 'apf-queue-wait'
        WHEN response_write_ms THEN 'response-write'
        WHEN serialize_ms THEN 'serialize-response-object'
        WHEN transform_ms THEN 'transform-response-object'
        WHEN decode_ms THEN 'decode-response-object'
        WHEN authorization_ms THEN 'authorization'
        WHEN authentication_ms THEN 'authentication'
    END AS slowest_part,
    verb,
    api_group,
    resource,
    subresource,
    namespace,
    name,
    request_uri,
    response_code,
    actor,
    user_agent,
    authentication_ms,
    authorization_ms,
    queue_ms,
    decode_ms,
    mutating_webhook_ms,
    validating_webhook_ms,
    etcd_ms,
    transform_ms,
    serialize_ms,
    response_write_ms,
    audit_id,
    source_file,
    source_line
FROM timed
WHERE total_ms >= $threshold_ms
ORDER BY total_ms DESC, stage_timestamp, source_file, source_offset, audit_id
