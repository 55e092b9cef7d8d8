-- title = "Event storms"
-- question = "Who writes the most events, about what?"
-- description = """
-- Events (core and events.k8s.io) created or patched, by writer, component, reason and namespace,
-- from min_events on. objects counts what they are about. At level Metadata component and reason
-- are NULL."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1"]
-- attack = []
-- false_positives = "Rollouts and node failures: many events, for a while."
-- limits = "Many audit policies (GKE's) leave events out: then this is not evaluable. Events that the client's own limiter drops do not show."
-- message = "[{actor}|somebody]: {events} events[ {reason}][ by {component}] in {namespace} ({peak_per_minute} in a minute)"
-- columns.key = ["actor", "component", "reason", "namespace"]
-- columns.detail = ["events", "peak_per_minute", "objects", "first_seen", "last_seen"]
-- triage = ["etcd-writers", "top-clients actor={actor}", "namespace-access namespace={namespace}"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["events", "events.events.k8s.io"]
-- [parameters.min_events]
-- type = "integer"
-- default = 100
-- doc = "Only writers with at least this many."
WITH written AS (
    SELECT
        actor,
        actor_kind,
        coalesce(body_text(request_object, 'reportingController'), body_text(request_object, 'reportingComponent'), body_text(request_object, 'source.component')) AS component,
        body_text(request_object, 'reason') AS reason,
        namespace,
        coalesce(body_text(request_object, 'regarding.name'), body_text(request_object, 'involvedObject.name')) AS object,
        CAST(stage_timestamp AS BIGINT) / 60000000 AS minute,
        stage_timestamp
    FROM object_writes
    WHERE resource = 'events'
      AND api_group IN ('', 'events.k8s.io')
      AND operation IN ('create', 'update', 'patch')
),
counted AS (
    SELECT
        written.*,
        count(*) OVER (PARTITION BY actor, component, reason, namespace, minute) AS in_minute
    FROM written
)
SELECT
    actor,
    actor_kind,
    component,
    reason,
    namespace,
    count(*) AS events,
    max(in_minute) AS peak_per_minute,
    count(DISTINCT object) AS objects,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM counted
GROUP BY actor, actor_kind, component, reason, namespace
HAVING count(*) >= $min_events
ORDER BY events DESC, actor, component, reason, namespace
