-- title = "Exec or attach in a system namespace"
-- question = "Who entered a pod of the cluster's own namespaces?"
-- description = """
-- exec and attach sessions in namespaces of the list system_namespaces, such as kube-system. Their
-- pods often run with more rights than anybody's own, so a shell in one is a way to the node or to
-- every secret. A refused attempt has a lower severity."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.2", "SOC 2 CC6.7", "NIST AC-6(9)"]
-- attack = ["T1609"]
-- false_positives = "Platform engineers who debug the network plugin, DNS or storage."
-- tuning = "Take namespaces in or out with --table system_namespaces=FILE; give platform engineers or tools that do this as their job in the list expected, with the activity exec."
-- limits = "What is typed after the command is not in the log. Pods of add-ons in other namespaces count only if the list has them."
-- message = "{actor} opened {kind} in pod {namespace}/{pod}[: {command}] ({outcome})"
-- triage = ["pod-exec-sessions namespace={namespace} actor={actor}", "principal-timeline principal={principal}", "secrets-read actor={actor}"]
-- covers = ["GuardDuty: Execution:Kubernetes/ExecInKubeSystemPod", "Google: Suspicious Exec or Attach to a System Pod"]
-- differs = "The namespaces are a list, with those of GKE and OpenShift and kube-node-lease in it."
-- tables = ["system_namespaces", "system_principals", "expected"]
-- columns.key = ["principal", "actor", "kind", "namespace", "pod", "command", "outcome"]
-- columns.detail = ["container", "tty", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/exec", "pods/attach"]
-- stage = "any"
SELECT
    stage_timestamp,
    graded('high', outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    actor_kind,
    kind,
    verb,
    namespace,
    name AS pod,
    container,
    command,
    stdin,
    tty,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM exec_sessions
WHERE kind IN ('exec', 'attach')
  AND listed('system_namespaces', namespace)
  AND (NOT listed('system_principals', principal) OR listed('system_principals', principal, 'kubernetes'))
  AND NOT listed('expected', principal, 'exec', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
