-- title = "Namespaces without a network policy"
-- question = "Which namespaces were created and never got a network policy?"
-- description = """
-- Namespaces that the log shows created, and still there at its end, in which no network policy (of
-- Kubernetes, Cilium or Calico) was created within the time within, or at all."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["CIS 5.3.2", "PCI-DSS 1.2.8", "NIST SC-7", "ISO 27001 A.8.22", "NSA/CISA hardening guide"]
-- attack = []
-- false_positives = "Clusters with policies for the whole cluster (AdminNetworkPolicy, CiliumClusterwideNetworkPolicy, GlobalNetworkPolicy); namespaces without pods."
-- limits = "Namespaces and policies older than the log do not show. Whether the network plugin enforces policies is not in the log."
-- message = "namespace {namespace}, created by {actor}, has no network policy"
-- columns.key = ["namespace", "created_at"]
-- columns.detail = ["actor", "created_at", "first_policy_at"]
-- tables = ["system_namespaces"]
-- tuning = "Raise within for pipelines that add policies later."
-- triage = ["network-boundary-changes", "object-history resource=namespaces name={namespace}"]
-- [[needs]]
-- verbs = ["create", "delete"]
-- resources = ["namespaces"]
-- [[needs]]
-- verbs = ["create", "patch", "update"]
-- resources = ["networkpolicies.networking.k8s.io"]
-- [parameters.within]
-- type = "duration"
-- default = "24h"
-- doc = "A policy must come within this time after the namespace; the log must go on as long."
WITH lives AS (
    SELECT
        cluster, object_name, operation, actor, stage_timestamp, audit_id, source_file, source_line, source_offset, ended_at,
        lead(operation) OVER (PARTITION BY cluster, object_name ORDER BY stage_timestamp, audit_id, source_file, source_offset) AS next_operation
    FROM (
        SELECT object_writes.*, max(stage_timestamp) OVER (PARTITION BY cluster) AS ended_at
        FROM object_writes
    ) AS written
    WHERE api_group = '' AND resource = 'namespaces' AND write_kind = 'object' AND operation IN ('create', 'delete')
),
policies AS (
    SELECT cluster AS policy_cluster, namespace AS policy_namespace, min(stage_timestamp) AS first_policy_at
    FROM object_writes
    WHERE operation = 'create'
      AND write_kind = 'object'
      AND resource LIKE '%networkpolicies'
      AND namespace <> ''
    GROUP BY cluster, namespace
)
SELECT
    stage_timestamp AS created_at,
    object_name AS namespace,
    actor,
    first_policy_at,
    audit_id,
    source_file,
    source_line
FROM lives
LEFT JOIN policies
    ON (cluster IS NOT DISTINCT FROM policy_cluster) AND object_name = policy_namespace
WHERE operation = 'create'
  AND (next_operation = 'delete') IS NOT TRUE
  AND object_name <> ''
  AND NOT listed('system_namespaces', object_name)
  AND CAST(CAST(ended_at AS BIGINT) - CAST(stage_timestamp AS BIGINT) AS DOUBLE) / 1000 >= $within
  AND (CAST(CAST(first_policy_at AS BIGINT) - CAST(stage_timestamp AS BIGINT) AS DOUBLE) / 1000 <= $within) IS NOT TRUE
ORDER BY stage_timestamp, source_file, source_offset, audit_id
