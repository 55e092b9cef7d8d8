-- title = "Node drains"
-- question = "Who drained or cordoned which node, and which pods had to go?"
-- description = """
-- One row per node and principal, from the first cordon or eviction to the last, with no longer pause
-- than pause. cordoned_at is when the node was made unschedulable, or tainted by an autoscaler;
-- evicted counts the evictions that were accepted, refused those that a disruption budget turned
-- down (429), failed the others; pods are the names. The node of an evicted pod is known from the
-- kubelet that removed it, from its binding, or, failing both, it is the node that the principal
-- cordoned before (node_source). Rows without a node are evictions of unknown pods. Without
-- evictions, the row is a mere cordon or uncordon."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.2", "NIST CM-3"]
-- attack = ["T1489"]
-- false_positives = "None: this is an inventory; upgrades and autoscalers drain nodes."
-- limits = "Pods that a drain deletes without an eviction (--disable-eviction), and those of DaemonSets, are not counted. At level Metadata a cordon looks like any other patch of a node: cordoned_at is NULL, and mere cordons have no row."
-- message = "{principal} drained [node {node}|an unknown node]: evicted {evicted}, refused {refused}, failed {failed}"
-- columns.key = ["principal", "node", "started_at"]
-- columns.detail = ["cordoned_at", "uncordoned_at", "pods", "ended_at", "user_agent"]
-- tables = ["system_principals"]
-- triage = ["principal-timeline principal={principal}", "object-history resource=nodes name={node}"]
-- tuning = "Raise pause if drains wait long for disruption budgets."
-- [[needs]]
-- verbs = ["create"]
-- resources = ["pods/eviction"]
-- [[needs]]
-- verbs = ["update", "patch", "delete"]
-- resources = ["nodes"]
-- [parameters.node]
-- type = "string"
-- doc = "Only this node."
-- [parameters.actor]
-- type = "string"
-- doc = "Only drains by this actor or principal."
-- [parameters.pause]
-- type = "duration"
-- default = "30m"
-- doc = "A longer pause begins a new drain."
WITH places AS (
    -- Where pods were: the kubelet that removed them, or their binding.
    SELECT
        cluster, namespace, object_name, stage_timestamp,
        coalesce(CASE WHEN principal LIKE 'system:node:%' THEN substr(principal, 13) END, body_text(request_object, 'target.name')) AS node,
        CASE WHEN principal LIKE 'system:node:%' THEN 'kubelet' ELSE 'binding' END AS node_source
    FROM object_writes
    WHERE resource = 'pods'
      AND api_group = ''
      AND (
          principal LIKE 'system:node:%' AND (operation = 'delete' OR write_kind = 'status')
          OR write_kind = 'binding' AND body_text(request_object, 'target.name') IS NOT NULL
      )
),
known_places AS (
    SELECT
        cluster, namespace, object_name,
        last_value(node ORDER BY stage_timestamp, node) AS node,
        last_value(node_source ORDER BY stage_timestamp, node) AS node_source
    FROM places
    GROUP BY cluster, namespace, object_name
),
acts AS (
    SELECT
        evictions.cluster, evictions.stage_timestamp, evictions.audit_id, evictions.actor, evictions.principal,
        evictions.outcome, evictions.response_code, evictions.client_ip, evictions.peer_ip, evictions.user_agent,
        evictions.source_file, evictions.source_line, evictions.source_offset,
        'evict' AS act, known_places.node, known_places.node_source,
        concat_ws('/', evictions.namespace, evictions.object_name) AS pod
    FROM write_requests AS evictions
    LEFT JOIN known_places
        ON evictions.cluster IS NOT DISTINCT FROM known_places.cluster
        AND evictions.namespace = known_places.namespace
        AND evictions.object_name = known_places.object_name
    WHERE evictions.resource = 'pods' AND evictions.write_kind = 'eviction' AND evictions.outcome <> 'dry run'
    UNION ALL
    SELECT
        cluster, stage_timestamp, audit_id, actor, principal, outcome, response_code, client_ip, peer_ip, user_agent,
        source_file, source_line, source_offset,
        CASE
            WHEN operation = 'delete' THEN 'remove'
            WHEN body_text(request_object, 'spec.unschedulable') = 'true'
                OR request_object LIKE '%ToBeDeletedByClusterAutoscaler%'
                OR request_object LIKE '%karpenter.sh/disrupt%'
                OR ltrim(request_object) LIKE '[%' AND request_object LIKE '%"/spec/unschedulable"%' AND request_object LIKE '%true%'
                THEN 'cordon'
            ELSE 'uncordon'
        END AS act,
        object_name AS node, 'cordon' AS node_source, CAST(NULL AS VARCHAR) AS pod
    FROM write_requests
    WHERE resource = 'nodes'
      AND api_group = ''
      AND subresource = ''
      AND object_name <> ''
      AND outcome = 'succeeded'
      -- The node controller follows a cordon with a taint.
      AND NOT listed('system_principals', principal)
      AND (
          operation = 'delete'
          OR verb = 'patch' AND request_object LIKE '%unschedulable%'
          OR request_object LIKE '%ToBeDeletedByClusterAutoscaler%'
          OR request_object LIKE '%karpenter.sh/disrupt%'
          OR verb = 'update' AND body_text(request_object, 'spec.unschedulable') = 'true'
      )
),
placed AS (
    SELECT
        acts.*,
        coalesce(
            node,
            last_value(CASE WHEN act = 'cordon' THEN node END) IGNORE NULLS OVER (
                PARTITION BY cluster, principal
                ORDER BY stage_timestamp, audit_id, source_file, source_offset
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            )
        ) AS drained_node
    FROM acts
    WHERE ($actor IS NULL OR $actor IN (actor, principal))
),
spaced AS (
    SELECT
        placed.*,
        (
            CAST(stage_timestamp AS BIGINT) - CAST(lag(stage_timestamp) OVER (
                PARTITION BY cluster, principal, drained_node
                ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ) AS BIGINT) <= $pause * 1000
        ) IS NOT TRUE AS begins
    FROM placed
    WHERE $node IS NULL OR drained_node = $node
),
numbered AS (
    SELECT
        spaced.*,
        count(CASE WHEN begins THEN 1 END) OVER (
            PARTITION BY cluster, principal, drained_node
            ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS drain
    FROM spaced
)
SELECT
    min(stage_timestamp) AS stage_timestamp,
    'info' AS severity,
    drained_node AS node,
    CASE
        WHEN drained_node IS NULL THEN NULL
        WHEN bool_or(node IS NULL) THEN 'cordon'
        ELSE min(node_source) FILTER (WHERE act = 'evict')
    END AS node_source,
    principal,
    min(actor) AS actor,
    min(stage_timestamp) AS started_at,
    max(stage_timestamp) AS ended_at,
    min(stage_timestamp) FILTER (WHERE act = 'cordon') AS cordoned_at,
    max(stage_timestamp) FILTER (WHERE act = 'uncordon') AS uncordoned_at,
    max(stage_timestamp) FILTER (WHERE act = 'remove') AS node_deleted_at,
    count(*) FILTER (WHERE act = 'evict' AND outcome = 'succeeded') AS evicted,
    count(*) FILTER (WHERE act = 'evict' AND response_code = 429) AS refused,
    count(*) FILTER (WHERE act = 'evict' AND outcome <> 'succeeded' AND response_code IS DISTINCT FROM 429) AS failed,
    array_agg(DISTINCT pod ORDER BY pod) FILTER (WHERE act = 'evict' AND outcome = 'succeeded') AS pods,
    array_agg(DISTINCT pod ORDER BY pod) FILTER (WHERE act = 'evict' AND outcome <> 'succeeded') AS pods_refused,
    min(client_ip) AS client_ip,
    min(peer_ip) AS peer_ip,
    min(user_agent) AS user_agent,
    first_value(audit_id ORDER BY stage_timestamp, audit_id) AS audit_id,
    first_value(source_file ORDER BY stage_timestamp, audit_id) AS source_file,
    first_value(source_line ORDER BY stage_timestamp, audit_id) AS source_line
FROM numbered
GROUP BY cluster, principal, drained_node, drain
ORDER BY started_at, node, principal, audit_id
