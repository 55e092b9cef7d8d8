-- title = "Unused namespaces"
-- question = "Which namespaces does nobody use?"
-- description = """
-- Namespaces in which no person, workload or kubelet did anything within idle before the end of the
-- log (in a shorter log, in all of it), one row each, with when each was last active. The control
-- plane's own work in a namespace (quotas, root certificates, garbage collection), and lists across
-- all namespaces do not count as use. Kubelets act for each pod that runs, so a namespace with a row
-- has no running pods that the log shows. Namespaces that were deleted, and system namespaces, are
-- left out; those in the list known_namespaces have rows even if the log never names them."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["CIS 5.7.1", "SOC 2 CC6.1", "NIST CM-8"]
-- attack = []
-- false_positives = "Namespaces that hold configuration only, and those of jobs that run less often than the log is long."
-- limits = "A namespace that the log never names can only come from the list known_namespaces. If the audit policy leaves out kubelets, running pods are not seen. The log must be at least as long as idle for the answer to mean it: see log_days."
-- message = "namespace {namespace} is unused[ since {last_used}]"
-- columns.key = ["namespace"]
-- columns.detail = ["last_used", "last_used_by", "last_control_plane_activity", "idle_days", "log_days"]
-- tables = ["known_namespaces", "system_principals", "system_namespaces"]
-- triage = ["namespace-access namespace={namespace}", "volume-by-namespace namespace={namespace}"]
-- tuning = "Give known_namespaces the output of kubectl get namespaces, and idle the time after which a namespace counts as unused. Machines that look into each namespace (scanners, backups) belong into ignored_actors."
-- [[needs]]
-- resources = ["*"]
-- [parameters.idle]
-- type = "duration"
-- default = "30d"
-- doc = "Unused means: not used for this long before the end of the log."
-- [parameters.ignored_actors]
-- type = "strings"
-- doc = "Requests by these actors or principals are no use."
WITH window_of_log AS (
    SELECT min(request_received_timestamp) AS began_at, max(stage_timestamp) AS ended_at
    FROM requests
),
touched AS (
    SELECT
        cluster, namespace, principal, stage_timestamp,
        (
            NOT listed('system_principals', principal) OR principal LIKE 'system:node:%'
        ) AND (actor = ANY($ignored_actors) OR principal = ANY($ignored_actors)) IS NOT TRUE
            -- The create of a namespace is no use of it.
            AND NOT (resource = 'namespaces' AND api_group = '') AS is_use,
        resource = 'namespaces' AND api_group = '' AND verb = 'delete' AND subresource = '' AND response_code < 300 AS is_delete
    FROM requests
    -- Requests that failed may name namespaces that do not exist.
    WHERE namespace <> '' AND response_code < 400
    UNION ALL
    -- Created, and never named again.
    SELECT cluster, object_name AS namespace, principal, stage_timestamp, false AS is_use, false AS is_delete
    FROM object_writes
    WHERE resource = 'namespaces' AND api_group = '' AND subresource = '' AND operation = 'create' AND object_name <> ''
    UNION ALL
    -- A workload's service account is used wherever it acts.
    SELECT
        cluster, service_account_namespace AS namespace, principal, stage_timestamp,
        (actor = ANY($ignored_actors) OR principal = ANY($ignored_actors)) IS NOT TRUE AS is_use,
        false AS is_delete
    FROM requests
    WHERE service_account_namespace IS NOT NULL AND NOT listed('system_principals', principal)
    UNION ALL
    SELECT CAST(NULL AS VARCHAR) AS cluster, namespace, NULL AS principal, NULL AS stage_timestamp, false AS is_use, false AS is_delete
    FROM known_namespaces
),
uses AS (
    SELECT
        cluster,
        namespace,
        max(stage_timestamp) FILTER (WHERE is_use) AS last_used,
        last_value(principal ORDER BY stage_timestamp, principal) FILTER (WHERE is_use) AS last_used_by,
        max(stage_timestamp) FILTER (WHERE NOT is_use) AS last_control_plane_activity,
        max(stage_timestamp) FILTER (WHERE is_delete) AS deleted_at
    FROM touched
    GROUP BY cluster, namespace
)
SELECT
    'info' AS severity,
    uses.cluster,
    uses.namespace,
    uses.last_used,
    uses.last_used_by,
    uses.last_control_plane_activity,
    round((CAST(window_of_log.ended_at AS BIGINT) - CAST(coalesce(uses.last_used, window_of_log.began_at) AS BIGINT)) / 86400000000.0, 1) AS idle_days,
    round((CAST(window_of_log.ended_at AS BIGINT) - CAST(window_of_log.began_at AS BIGINT)) / 86400000000.0, 1) AS log_days
FROM uses
CROSS JOIN window_of_log
WHERE (CAST(uses.last_used AS BIGINT) > CAST(window_of_log.ended_at AS BIGINT) - $idle * 1000) IS NOT TRUE
  AND uses.deleted_at IS NULL
  AND NOT listed('system_namespaces', uses.namespace)
ORDER BY uses.namespace, uses.cluster
