-- title = "Leader changes"
-- question = "Which leader elections changed hands, and how often?"
-- description = """
-- Leases whose holder changed, with the number of changes and the holders. At level Request the
-- holder is what the lease says (holderIdentity); below, it is told by the user, address and
-- program that renewed it. Node leases and those of apiservers have one owner and are left out."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.2"]
-- attack = []
-- false_positives = "Rollouts and node drains: each moves the leader once."
-- limits = "Only changes between two renewals in the log. Candidates behind one address that call themselves alike look like one at level Metadata. Elections by endpoints or ConfigMaps (before Kubernetes 1.24) are not included."
-- message = "{namespace}/{name} changed its leader {changes}×: {holders}"
-- columns.key = ["namespace", "name"]
-- columns.detail = ["changes", "holders", "first_change_at", "last_change_at"]
-- triage = ["stale-leases", "conflicts", "log-start-stop-events"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = ["leases.coordination.k8s.io"]
-- [parameters.min_changes]
-- type = "integer"
-- default = 1
-- doc = "Only leases whose leader changed at least this often."
WITH renewed AS (
    SELECT
        cluster, namespace, object_name, stage_timestamp, request_received_timestamp, audit_id, source_file, source_offset,
        coalesce(nullif(body_text(request_object, 'spec.holderIdentity'), ''), concat_ws(' ', principal, client_ip, user_agent)) AS holder,
        body_text(request_object, 'spec.holderIdentity') IS NOT NULL AS named
    FROM object_writes
    WHERE api_group = 'coordination.k8s.io'
      AND resource = 'leases'
      AND operation IN ('create', 'update', 'patch')
      AND namespace <> 'kube-node-lease'
      AND NOT (namespace = 'kube-system' AND object_name LIKE 'apiserver-%')
),
compared AS (
    SELECT
        renewed.*,
        CASE WHEN holder <> lag(holder) OVER history AND named = lag(named) OVER history THEN stage_timestamp END AS changed_at
    FROM renewed
    WINDOW history AS (
        PARTITION BY cluster, namespace, object_name
        ORDER BY stage_timestamp, request_received_timestamp, audit_id, source_file, source_offset
    )
)
SELECT
    namespace,
    object_name AS name,
    count(changed_at) AS changes,
    array_agg(DISTINCT holder ORDER BY holder) AS holders,
    count(*) AS renewals,
    min(changed_at) AS first_change_at,
    max(changed_at) AS last_change_at
FROM compared
GROUP BY cluster, namespace, object_name
HAVING count(changed_at) >= $min_changes
ORDER BY changes DESC, namespace, name
