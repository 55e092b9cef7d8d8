-- title = "Pods whose status keeps changing"
-- question = "Which pods change their status all the time, as crash loops do?"
-- description = """
-- Pods whose status was written at least min_writes times, with the rate. restarts is the highest
-- restart count that a body shows (level Request), waiting the last reason for which a container
-- waited, such as CrashLoopBackOff."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.2"]
-- attack = []
-- false_positives = "Pods with many containers, while they start."
-- limits = "At level Metadata the log does not say what changed in the status."
-- message = "{namespace}/{pod}: status written {writes}×, {per_minute} a minute[, {waiting}][, restarts {restarts}]"
-- columns.key = ["namespace", "pod"]
-- columns.detail = ["writes", "per_minute", "restarts", "waiting", "last_seen"]
-- triage = ["pod-fate namespace={namespace} name={pod}", "event-storms", "hot-objects"]
-- [[needs]]
-- verbs = ["patch", "update"]
-- resources = ["pods/status"]
-- [parameters.min_writes]
-- type = "integer"
-- default = 20
-- doc = "Only pods whose status was written at least this often."
WITH written AS (
    SELECT
        cluster, namespace, object_name, stage_timestamp,
        TRY_CAST(regexp_match(body_text(coalesce(response_object, request_object), 'status.containerStatuses'), '"restartCount"\s*:\s*([0-9]+)')[1] AS BIGINT) AS restarts,
        regexp_match(body_text(coalesce(response_object, request_object), 'status.containerStatuses'), '"waiting"\s*:\s*\{[^}]*"reason"\s*:\s*"([A-Za-z]+)"')[1] AS waiting
    FROM object_writes
    WHERE api_group = ''
      AND resource = 'pods'
      AND subresource = 'status'
      AND object_name <> ''
)
SELECT
    namespace,
    object_name AS pod,
    count(*) AS writes,
    round(count(*) / greatest(CAST(CAST(max(stage_timestamp) AS BIGINT) - CAST(min(stage_timestamp) AS BIGINT) AS DOUBLE) / 60000000, 1), 2) AS per_minute,
    max(restarts) AS restarts,
    max(waiting) AS waiting,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM written
GROUP BY cluster, namespace, object_name
HAVING count(*) >= $min_writes
ORDER BY writes DESC, namespace, pod
