-- doc = """
-- One row per container, init container or ephemeral container of pod_specs, with the columns of its request. Refused
-- requests are included: see created and response_code. A pod spec that the log does not show has no rows here. A patch
-- that was read from its request has rows only for the containers that it names."""
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
-- doc = "True when the request made a new object; see pod_specs."
-- [[column]]
-- name = "container_kind"
-- type = "string"
-- doc = "container, init or ephemeral."
-- [[column]]
-- name = "container_name"
-- type = "string"
-- doc = "Name of the container."
-- [[column]]
-- name = "image"
-- type = "string"
-- doc = "Image reference as written."
-- [[column]]
-- name = "command"
-- type = "list<string>"
-- doc = "Command of the container."
-- [[column]]
-- name = "args"
-- type = "list<string>"
-- doc = "Arguments of the container."
-- [[column]]
-- name = "privileged"
-- type = "boolean"
-- doc = "securityContext.privileged; NULL when not set."
-- [[column]]
-- name = "allow_privilege_escalation"
-- type = "boolean"
-- doc = "securityContext.allowPrivilegeEscalation; NULL when not set."
-- [[column]]
-- name = "run_as_user"
-- type = "int64"
-- doc = "securityContext.runAsUser; NULL when not set."
-- [[column]]
-- name = "run_as_non_root"
-- type = "boolean"
-- doc = "securityContext.runAsNonRoot; NULL when not set."
-- [[column]]
-- name = "capabilities_added"
-- type = "list<string>"
-- doc = "securityContext.capabilities.add."
-- [[column]]
-- name = "capabilities_dropped"
-- type = "list<string>"
-- doc = "securityContext.capabilities.drop."
-- [[column]]
-- name = "host_ports"
-- type = "list<int64>"
-- doc = "Host ports that the container asks for."
-- [[column]]
-- name = "seccomp_profile"
-- type = "string"
-- doc = "securityContext.seccompProfile.type; NULL when not set."
-- [[column]]
-- name = "env_secret_refs"
-- type = "list<string>"
-- doc = "Secrets that the container's environment takes values from."
SELECT
    pod_specs.*,
    unnest(containers(pod_spec))['container_kind'] AS container_kind,
    unnest(containers(pod_spec))['container_name'] AS container_name,
    unnest(containers(pod_spec))['image'] AS image,
    unnest(containers(pod_spec))['command'] AS command,
    unnest(containers(pod_spec))['args'] AS args,
    unnest(containers(pod_spec))['privileged'] AS privileged,
    unnest(containers(pod_spec))['allow_privilege_escalation'] AS allow_privilege_escalation,
    unnest(containers(pod_spec))['run_as_user'] AS run_as_user,
    unnest(containers(pod_spec))['run_as_non_root'] AS run_as_non_root,
    unnest(containers(pod_spec))['capabilities_added'] AS capabilities_added,
    unnest(containers(pod_spec))['capabilities_dropped'] AS capabilities_dropped,
    unnest(containers(pod_spec))['host_ports'] AS host_ports,
    unnest(containers(pod_spec))['seccomp_profile'] AS seccomp_profile,
    unnest(containers(pod_spec))['env_secret_refs'] AS env_secret_refs
-- unnest gives no row where the pod spec is NULL.
FROM pod_specs
