-- doc = """
-- Every create, update and patch of a pod or of a workload with a pod template (Deployment, DaemonSet, StatefulSet,
-- ReplicaSet, ReplicationController, Job, CronJob, PodTemplate), including refused requests and dry runs: see
-- response_code and dry_run. The only subresources are pods/ephemeralcontainers and pods/resize, which change the spec.
-- The pod spec is the stored one, from the response, if the response is the workload itself; else the requested one,
-- which for a patch is the part that it names. Where neither is there (level Metadata, a truncated event, a JSON patch
-- at level Request, a refusal before the body was read) pod_spec and spec_source are NULL, and the row stays: the log
-- does not say what the pods look like."""
-- [[column]]
-- name = "pod_spec"
-- type = "string"
-- doc = "Pod spec as JSON text."
-- [[column]]
-- name = "spec_source"
-- type = "string"
-- doc = "Body that the pod spec was read from: response or request."
-- [[column]]
-- name = "created"
-- type = "boolean"
-- doc = "True when the request made a new object: a create that succeeded, or a patch or update answered with 201. False for changes, refusals, failures and dry runs. NULL when the event has no response code."
SELECT
    requests.*,
    coalesce(
        -- The response can be a Status, and a Table or PartialObjectMetadata when the client asks for one.
        CASE
            WHEN body_kind(response_object) IN (
                'Pod', 'Deployment', 'DaemonSet', 'StatefulSet', 'ReplicaSet', 'ReplicationController', 'Job', 'CronJob',
                'PodTemplate'
            ) THEN pod_spec(resource, response_object)
        END,
        pod_spec(resource, request_object)
    ) AS pod_spec,
    CASE
        WHEN body_kind(response_object) IN (
            'Pod', 'Deployment', 'DaemonSet', 'StatefulSet', 'ReplicaSet', 'ReplicationController', 'Job', 'CronJob',
            'PodTemplate'
        )
        AND pod_spec(resource, response_object) IS NOT NULL THEN 'response'
        WHEN pod_spec(resource, request_object) IS NOT NULL THEN 'request'
    END AS spec_source,
    CASE
        WHEN response_code IS NOT NULL
            THEN response_code BETWEEN 200 AND 299
                AND (verb = 'create' OR response_code = 201)
                AND coalesce(dry_run, '') NOT LIKE '%All%'
    END AS created
FROM requests
WHERE verb IN ('create', 'update', 'patch')
  AND (
      (resource IN ('pods', 'replicationcontrollers', 'podtemplates') AND api_group = '')
      OR (resource IN ('deployments', 'daemonsets', 'statefulsets', 'replicasets') AND api_group IN ('apps', 'extensions'))
      OR (resource IN ('jobs', 'cronjobs') AND api_group = 'batch')
  )
  AND (
      subresource = ''
      OR (resource = 'pods' AND subresource IN ('ephemeralcontainers', 'resize'))
  )
