-- title = "Container may gain privileges"
-- question = "Which containers may run as root or gain privileges?"
-- description = """
-- Containers of pods and of the templates of workloads, init and ephemeral containers included,
-- created or changed; refused attempts, failures and dry runs as well (outcome). What controllers
-- create from a template is left out, since the template has its own row. Found are
-- allowPrivilegeEscalation: true, runAsUser: 0 and runAsNonRoot: false where they are written; the
-- default of Kubernetes, which allows all three, is not."""
-- severity = "low"
-- level = "Request"
-- controls = ["CIS 5.2.6", "CIS 5.2.7", "SOC 2 CC6.8", "NIST CM-7", "NSA/CISA hardening guide"]
-- attack = ["T1548"]
-- tables = ["system_principals", "expected"]
-- covers = ["Google: GKE_ALLOW_PRIVILEGE_ESCALATION", "Panther: Kubernetes Privileged Pod Created"]
-- false_positives = "Most images that were not built with this in mind. It is an inventory."
-- limits = "At level Metadata the log does not show the pod spec, so no rows does not mean no such pods. The same applies to truncated events, JSON patches at level Request, and requests refused before their body was read. Static pods, and pods created before the log begins, are not included. A patch that the apiserver failed to log leaves only what controllers make of it, which is left out."
-- tuning = "Add controllers, add-ons and people who run such pods to the list expected, with activity privileged-pods and their namespace."
-- triage = [
--     "pod-fate namespace={namespace} name={name}", "pod-exec-sessions namespace={namespace}",
--     "principal-timeline principal={principal}",
-- ]
-- message = "{actor} ran container {container_name} with {found} in {resource} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = [
--     "actor", "principal", "outcome", "resource", "namespace", "name", "container_kind", "container_name",
--     "found",
-- ]
-- columns.detail = ["image", "response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates",
--     "deployments.apps", "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch",
--     "cronjobs.batch",
-- ]
-- verbs = ["create", "update", "patch"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded('low', outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    verb,
    resource,
    namespace,
    object_name AS name,
    container_kind,
    container_name,
    image,
    concat_ws(
        ', ',
        CASE WHEN allow_privilege_escalation THEN 'allowPrivilegeEscalation: true' END,
        CASE WHEN run_as_user = 0 THEN 'runAsUser: 0' END,
        CASE WHEN run_as_non_root = false THEN 'runAsNonRoot: false' END
    ) AS found,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM containers
WHERE (allow_privilege_escalation OR run_as_user = 0 OR run_as_non_root = false)
  -- Through subresources only an ephemeral container can become so.
  AND (subresource = '' OR container_kind = 'ephemeral')
  -- A patch of something else, such as labels or replicas, leaves the pod as it was.
  AND (
      verb <> 'patch' OR spec_source = 'request' OR request_object IS NULL OR request_object LIKE '[%'
      OR pod_spec(resource, request_object) IS NOT NULL
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'privileged-pods', namespace)
ORDER BY stage_timestamp, source_file, source_offset, container_kind, container_name, audit_id
