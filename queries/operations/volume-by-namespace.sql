-- title = "Volume by namespace"
-- question = "Which namespaces, and whose clients in them, use the apiserver how much?"
-- description = """
-- Requests by the namespace that they are charged to, the busiest first: that of the service account
-- that made them, else that of the object. seconds is the time that the apiserver spent on them,
-- without watches and other streams. share is the part of all requests in percent. busiest is the
-- principal with the most requests. Requests without either namespace are charged to the cluster
-- (namespace NULL)."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["NIST AU-6", "SOC 2 A1.1"]
-- attack = []
-- false_positives = "None: this is an inventory."
-- limits = "Time spent is measured in the apiserver, with waiting in queues, not CPU time. What the audit policy leaves out is not counted."
-- message = "[{namespace}|the cluster]: requests {requests}, {share} %, busiest {busiest}"
-- columns.key = ["namespace"]
-- columns.detail = ["writes", "lists", "watches", "seconds", "principals", "busiest"]
-- triage = ["namespace-access namespace={namespace}", "top-clients"]
-- tuning = "Set by_object to true to charge the namespace of the object, whoever asks. For teams, see usage-by-team."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- [parameters.namespace]
-- type = "string"
-- doc = "Only this namespace."
-- [parameters.by_object]
-- type = "boolean"
-- default = false
-- doc = "Charge the namespace of the object, not that of the client."
WITH charged AS (
    SELECT
        cluster, principal, verb, subresource, latency_ms, response_code, request_received_timestamp, stage_timestamp,
        CASE
            WHEN $by_object THEN nullif(namespace, '')
            ELSE coalesce(service_account_namespace, nullif(namespace, ''))
        END AS charged_namespace
    FROM requests
),
by_principal AS (
    SELECT
        cluster,
        charged_namespace,
        principal,
        count(*) AS requests,
        count(*) FILTER (WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')) AS writes,
        count(*) FILTER (WHERE verb = 'list') AS lists,
        count(*) FILTER (WHERE verb = 'watch') AS watches,
        count(*) FILTER (WHERE response_code >= 400) AS failed,
        sum(CASE
            WHEN verb <> 'watch' AND coalesce(subresource, '') NOT IN ('exec', 'attach', 'portforward', 'proxy', 'log')
                THEN CAST(round(latency_ms * 1000) AS BIGINT)
        END) AS microseconds,
        min(request_received_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen
    FROM charged
    GROUP BY cluster, charged_namespace, principal
),
by_namespace AS (
    SELECT
        cluster,
        charged_namespace,
        sum(requests) AS requests,
        sum(writes) AS writes,
        sum(lists) AS lists,
        sum(watches) AS watches,
        sum(failed) AS failed,
        round(sum(microseconds) / 1000000.0, 3) AS seconds,
        count(DISTINCT principal) AS principals,
        first_value(principal ORDER BY requests DESC, principal) AS busiest,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen
    FROM by_principal
    GROUP BY cluster, charged_namespace
),
totals AS (
    SELECT cluster, sum(requests) AS all_requests
    FROM by_principal
    GROUP BY cluster
)
SELECT
    'info' AS severity,
    by_namespace.charged_namespace AS namespace,
    by_namespace.requests,
    round(100.0 * by_namespace.requests / totals.all_requests, 2) AS share,
    by_namespace.writes,
    by_namespace.lists,
    by_namespace.watches,
    by_namespace.failed,
    by_namespace.seconds,
    by_namespace.principals,
    by_namespace.busiest,
    by_namespace.first_seen,
    by_namespace.last_seen
FROM by_namespace
JOIN totals
    ON by_namespace.cluster IS NOT DISTINCT FROM totals.cluster
WHERE $namespace IS NULL OR by_namespace.charged_namespace = $namespace
ORDER BY by_namespace.requests DESC, namespace, by_namespace.cluster
