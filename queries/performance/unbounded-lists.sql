-- title = "Unbounded lists"
-- question = "Who lists everything at once, past the apiserver's cache?"
-- description = """
-- Lists without limit or continue that do not name a resourceVersion either, by client, resource
-- and scope: the apiserver answers them whole, and as of now. Before Kubernetes 1.31 it reads them
-- from etcd, since then from its cache after asking etcd whether that is current. Selectors do not
-- spare the read: they are applied to what was read. With from_cache, lists that accept the cache
-- (resourceVersion=0) are included, which informers send when they start; by_cache counts them. A
-- cluster-wide list that came at least often times is low, any other info."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1"]
-- attack = []
-- false_positives = "Small collections, such as nodes or namespaces, and people who type kubectl get once (kubectl sets limit=500)."
-- limits = "The log does not say how many objects were returned. Envelopes without the request URI (GKE) do not show the parameters, and their lists are left out. A client that follows continue tokens is bounded, even if it reads everything."
-- message = "[{actor}|somebody] with [{program}|an unnamed program] lists {target} unbounded at {scope} scope ({lists}×[, {seconds} s])"
-- columns.key = ["actor", "program", "api_group", "resource", "subresource", "scope"]
-- columns.detail = ["lists", "per_minute", "p99_ms", "with_selector"]
-- triage = ["list-latency actor={actor}", "top-clients actor={actor}", "list-bursts"]
-- [[needs]]
-- verbs = ["list"]
-- resources = ["*"]
-- columns = ["request_uri"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only lists by this actor."
-- [parameters.from_cache]
-- type = "boolean"
-- default = false
-- doc = "Include unlimited lists that accept what the apiserver has in its cache (resourceVersion=0)."
-- [parameters.often]
-- type = "integer"
-- default = 10
-- doc = "A cluster-wide list is low from this many times on."
WITH lists AS (
    SELECT
        actor, actor_kind, split_part(user_agent, '/', 1) AS program, api_group, resource, subresource, latency_ms, peer_ip,
        request_received_timestamp, stage_timestamp,
        CASE WHEN namespace <> '' THEN 'namespace' ELSE 'cluster' END AS scope,
        namespace,
        query_param(request_uri, 'resourceVersion') = '0' AND coalesce(query_param(request_uri, 'resourceVersionMatch'), '') <> 'Exact' AS from_cache,
        coalesce(query_param(request_uri, 'labelSelector'), '') <> '' OR coalesce(query_param(request_uri, 'fieldSelector'), '') <> '' AS selective
    FROM requests
    WHERE verb = 'list'
      AND resource IS NOT NULL
      AND request_uri IS NOT NULL
      AND name = ''
      AND response_code BETWEEN 200 AND 299
      -- A limit of 0 is none.
      AND coalesce(query_param(request_uri, 'limit'), '') IN ('', '0')
      AND coalesce(query_param(request_uri, 'continue'), '') = ''
      AND (
          coalesce(query_param(request_uri, 'resourceVersion'), '') = ''
          OR query_param(request_uri, 'resourceVersionMatch') = 'Exact'
          OR $from_cache AND query_param(request_uri, 'resourceVersion') = '0'
      )
)
SELECT
    CASE WHEN scope = 'cluster' AND count(*) FILTER (WHERE from_cache IS NOT TRUE) >= $often THEN 'low' ELSE 'info' END AS severity,
    actor,
    actor_kind,
    program,
    api_group,
    resource,
    subresource,
    concat_ws('.', resource, nullif(api_group, '')) AS target,
    scope,
    count(*) AS lists,
    count(*) FILTER (WHERE from_cache) AS by_cache,
    count(*) FILTER (WHERE selective) AS with_selector,
    round(count(*) / greatest(CAST(CAST(max(stage_timestamp) AS BIGINT) - CAST(min(request_received_timestamp) AS BIGINT) AS DOUBLE) / 60000000, 1), 2) AS per_minute,
    count(DISTINCT nullif(namespace, '')) AS namespaces,
    count(DISTINCT peer_ip) AS addresses,
    round(sum(latency_ms) / 1000, 3) AS seconds,
    round(percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms), 3) AS p99_ms,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM lists
WHERE $actor IS NULL OR actor = $actor
GROUP BY actor, actor_kind, program, api_group, resource, subresource, scope
ORDER BY CASE WHEN scope = 'cluster' THEN 0 ELSE 1 END, lists DESC, actor, actor_kind, program, api_group, resource, subresource
