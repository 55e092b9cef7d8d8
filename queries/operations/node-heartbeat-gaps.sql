-- title = "Nodes that missed heartbeats"
-- question = "Which nodes stopped renewing their lease for a while, and when?"
-- description = """
-- Times longer than max_gap between two renewals of a node's lease, which the kubelet renews every
-- ten seconds; after 40 seconds the node counts as not ready. other_nodes counts the nodes whose
-- lease was renewed in that time: with none, the gap is in the log, the apiserver or the
-- network."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 A1.2"]
-- attack = []
-- false_positives = "Reboots and kubelet upgrades."
-- limits = "Only gaps between two renewals: a node that stays silent is in stale-leases. Many audit policies leave leases out."
-- message = "{node} was silent for {gap_seconds} s from {gap_started_at} on ({other_nodes} other nodes were not)"
-- columns.key = ["node", "gap_started_at"]
-- columns.detail = ["gap_ended_at", "gap_seconds", "other_nodes"]
-- triage = ["stale-leases", "pod-fate", "log-heartbeat-gaps"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = ["leases.coordination.k8s.io"]
-- [parameters.max_gap]
-- type = "duration"
-- default = "40s"
-- doc = "Only gaps longer than this."
WITH renewed AS (
    SELECT
        object_name AS node,
        cluster,
        stage_timestamp,
        lag(stage_timestamp) OVER (PARTITION BY cluster, object_name ORDER BY stage_timestamp, audit_id, source_file, source_offset) AS renewed_before
    FROM object_writes
    WHERE api_group = 'coordination.k8s.io'
      AND resource = 'leases'
      AND namespace = 'kube-node-lease'
      AND operation IN ('update', 'patch')
),
gaps AS (
    SELECT node, cluster, renewed_before, stage_timestamp
    FROM renewed
    WHERE CAST(CAST(stage_timestamp AS BIGINT) - CAST(renewed_before AS BIGINT) AS DOUBLE) / 1000 > $max_gap
)
SELECT
    gaps.node,
    gaps.renewed_before AS gap_started_at,
    gaps.stage_timestamp AS gap_ended_at,
    round(CAST(CAST(gaps.stage_timestamp AS BIGINT) - CAST(gaps.renewed_before AS BIGINT) AS DOUBLE) / 1000000, 1) AS gap_seconds,
    count(DISTINCT others.node) AS other_nodes
FROM gaps
LEFT JOIN renewed AS others
    ON (gaps.cluster IS NOT DISTINCT FROM others.cluster)
    AND others.node <> gaps.node
    AND others.stage_timestamp > gaps.renewed_before
    AND others.stage_timestamp < gaps.stage_timestamp
GROUP BY gaps.node, gaps.renewed_before, gaps.stage_timestamp
ORDER BY gap_started_at, gaps.node
