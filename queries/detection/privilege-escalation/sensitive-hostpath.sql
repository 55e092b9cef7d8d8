-- title = "Sensitive directory of the node mounted"
-- question = "Who mounted, or tried to mount, directories of the node that give control over it?"
-- description = """
-- hostPath volumes of pods and of the templates of workloads that are a sensitive directory, lie in
-- one, or contain one: the root of the node, /etc, /root, /proc, kubelet and runtime directories and
-- sockets, and so on. Trailing and doubled slashes and /./ do not hide a path. Refused attempts,
-- failures and dry runs are included (outcome). What controllers create from a template is left out,
-- since the template has its own row."""
-- severity = "high"
-- level = "Request"
-- controls = ["CIS 5.2.12", "SOC 2 CC6.8", "NIST CM-7", "NSA/CISA hardening guide"]
-- attack = ["T1611", "T1610"]
-- tables = ["system_principals", "expected"]
-- covers = [
--     "Falco: Create Sensitive Mount Pod", "Elastic: Kubernetes Pod created with a Sensitive hostPath Volume",
--     "Panther: Kubernetes Pod With Sensitive Host Path", "Google: GKE_SENSITIVE_HOSTPATH",
--     "Defender: K8S_SensitiveMount", "GuardDuty: ContainerWithSensitiveMount",
--     "Stratus: k8s.privilege-escalation.hostpath-volume",
-- ]
-- differs = "Falco compares paths exactly, so that /etc/ or a parent of /etc goes unseen; Panther's /etc/ never equals /etc. Both look at pods only."
-- false_positives = "Agents that read logs, metrics or sockets of the node."
-- limits = "At level Metadata the log does not show the pod spec, so no rows does not mean no such pods. The same applies to truncated events, JSON patches at level Request, and requests refused before their body was read. Static pods, and pods created before the log begins, are not included. A patch that the apiserver failed to log leaves only what controllers make of it, which is left out. The log does not show whether the mount is read-only without looking at the containers, nor symbolic links on the node."
-- tuning = "Add controllers, add-ons and people who run such pods to the list expected, with activity privileged-pods and their namespace. ignored_paths holds paths that are harmless to mount."
-- triage = [
--     "pod-fate namespace={namespace} name={name}", "pod-exec-sessions namespace={namespace}",
--     "principal-timeline principal={principal}",
-- ]
-- message = "{actor} mounted {path} of the node in {resource} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "resource", "namespace", "name", "path"]
-- columns.detail = ["response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates",
--     "deployments.apps", "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch",
--     "cronjobs.batch",
-- ]
-- verbs = ["create", "update", "patch"]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.ignored_paths]
-- type = "strings"
-- default = [
--     "/etc/localtime", "/etc/timezone", "/etc/machine-id", "/etc/os-release", "/etc/ssl/certs",
--     "/etc/pki/ca-trust", "/etc/pki/tls/certs", "/dev/shm", "/sys/fs/cgroup", "/run/udev",
-- ]
-- doc = "Paths, without a trailing slash, that are left out."
SELECT
    stage_timestamp,
    graded('high', outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    verb,
    resource,
    namespace,
    object_name AS name,
    path,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        stage_timestamp, actor, principal, verb, resource, namespace, object_name, pod_spec, response_code, dry_run, client_ip,
        peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
        body_text(volume, 'hostPath.path') AS path,
        -- With one slash between parts, and one at the end.
        regexp_replace(concat(body_text(volume, 'hostPath.path'), '/'), '/(?:\.?/)*', '/', 'g') AS directory
    FROM (
        SELECT
            stage_timestamp, actor, principal, verb, resource, namespace, object_name, pod_spec, response_code, dry_run, client_ip,
            peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
            unnest(json_elements(body_text(pod_spec, 'volumes'))) AS volume
        FROM pod_specs
        WHERE subresource = ''
        -- A patch of something else, such as labels or replicas, leaves the pod as it was.
        AND (
            verb <> 'patch' OR spec_source = 'request' OR request_object IS NULL OR request_object LIKE '[%'
            OR pod_spec(resource, request_object) IS NOT NULL
        )
        AND NOT listed('system_principals', principal)
        AND NOT listed('expected', principal, 'privileged-pods', namespace)
    ) AS mounted
    WHERE body_text(volume, 'hostPath.path') IS NOT NULL
) AS paths
WHERE (
      directory IN ('/', '/var/', '/var/lib/')
      OR regexp_like(
          directory,
          '^/(?:etc|proc|sys|root|home|dev|boot|run|var/run|var/lib/(?:kubelet|docker|containerd|containers|crio|etcd|rancher|k0s|minikube))/'
      )
      -- Windows nodes.
      OR regexp_like(path, '(?i)^[a-z]:[\\/]*$|docker_engine|containerd-containerd')
  )
  AND (rtrim(directory, '/') = ANY($ignored_paths)) IS NOT TRUE
ORDER BY stage_timestamp, source_file, source_offset, path, audit_id
