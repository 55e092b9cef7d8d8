-- title = "Image never seen before"
-- question = "Which image repositories appear that the baseline does not have?"
-- description = """
-- Image repositories (registry and name, without tag and digest) of containers created or changed in
-- this log that no successful write of the baseline used, by principal and namespace. A new tag of a
-- known repository is not new."""
-- severity = "low"
-- level = "Request"
-- controls = ["SOC 2 CC7.2", "NIST SI-4"]
-- attack = ["T1610", "T1525"]
-- baseline = "7d"
-- false_positives = "New applications and moved registries."
-- tuning = "Give a longer baseline. To allow rather than to learn, use image-outside-allowlist."
-- limits = "Workloads that were not written during the baseline are new when they are written again. The baseline must have level Request."
-- message = "{principal} used image {repository} in {namespace}, which is new ({outcome})"
-- triage = ["principal-timeline principal={principal}", "object-history resource={resource} namespace={namespace} name={name}", "namespace-access namespace={namespace}"]
-- covers = ["GuardDuty: Execution:Kubernetes/AnomalousBehavior.WorkloadDeployed", "Defender: K8S_AnomalousPodDeployment", "Splunk: Kubernetes Previously Unseen Container Image Name"]
-- differs = "Reads workloads, not the events of image pulls; the rule is plain."
-- tables = ["system_principals"]
-- columns.key = ["principal", "namespace", "repository", "outcome"]
-- columns.detail = ["images", "peer_ips", "user_agents"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates", "deployments.apps",
--     "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch",
-- ]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded('low', outcome) AS severity,
    outcome,
    principal,
    namespace,
    repository,
    array_agg(DISTINCT image ORDER BY image) AS images,
    count(*) AS objects,
    min(resource) AS resource,
    min(object_name) AS name,
    array_agg(DISTINCT peer_ip ORDER BY peer_ip) FILTER (WHERE peer_ip IS NOT NULL) AS peer_ips,
    array_agg(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL) AS user_agents
FROM (
    SELECT
        stage_timestamp,
        outcome(response_code, dry_run) AS outcome,
        principal,
        namespace,
        image,
        regexp_replace(image, '(?::[^/:@]+)?(?:@\S+)?$', '') AS repository,
        resource,
        object_name,
        peer_ip,
        user_agent
    FROM containers
    WHERE image IS NOT NULL
      AND (verb <> 'patch' OR created OR pod_spec(resource, request_object) IS NOT NULL)
      AND NOT listed('system_principals', principal)
) AS used
WHERE NOT EXISTS (
    SELECT 1
    FROM (
        SELECT regexp_replace(shown.container['image'], '(?::[^/:@]+)?(?:@\S+)?$', '') AS known
        FROM (
            SELECT unnest(containers(coalesce(pod_spec(resource, response_object), pod_spec(resource, request_object)))) AS container
            FROM earlier_requests
            WHERE verb IN ('create', 'update', 'patch')
              AND resource IN (
                  'pods', 'deployments', 'daemonsets', 'statefulsets', 'replicasets', 'replicationcontrollers', 'jobs', 'cronjobs',
                  'podtemplates'
              )
              AND outcome(response_code, dry_run) = 'succeeded'
        ) AS shown
    ) AS earlier
    WHERE earlier.known = used.repository
)
GROUP BY outcome, principal, namespace, repository
ORDER BY first_seen, principal, namespace, repository, outcome
