-- title = "Commands in pods"
-- question = "Who ran which command in which pod?"
-- description = """
-- One row per exec session, open ones included, with its command. outcome is succeeded when the
-- stream was opened (101), refused, failed, or unknown when the log shows no response. What stands
-- out has detections of its own: exec-in-system-namespace, exec-interactive-shell,
-- exec-by-serviceaccount, exec-reverse-shell and others."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.2", "SOC 2 CC6.7", "NIST AU-14", "NIST AC-17"]
-- attack = ["T1609"]
-- false_positives = "Debugging by the team that owns the pod, and operators, backup tools and CI runners that exec into their pods."
-- tuning = "Give the principals whose job is to exec in the list expected, with the activity exec."
-- limits = "What is typed after the command is not in the log. 101 means that the stream was opened, not that the command ran. Sessions opened at the kubelet, directly or through nodes/proxy, are not included: see kubelet-command-via-proxy."
-- message = "{actor} ran a command in pod {namespace}/{pod}[: {command}] ({outcome})"
-- triage = ["pod-exec-sessions namespace={namespace} actor={actor}", "principal-timeline principal={principal}", "pod-fate namespace={namespace} name={pod}"]
-- covers = ["Falco: Attach/Exec Pod", "Sigma: Potential Remote Command Execution In Pod Container", "Elastic: Kubernetes User Exec into Pod", "Panther: Kubernetes.Pod.Exec", "Threat matrix: Exec into container"]
-- differs = "Sigma and Panther look for verb create only, and miss kubectl 1.31 and later, which sends get. Elastic requires level Request exactly. Rules that take 2xx for success miss every session: it is 101."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "pod", "command", "outcome"]
-- columns.detail = ["container", "tty", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/exec", "pods/attach"]
-- stage = "any"
-- [parameters.namespace]
-- type = "string"
-- doc = "Only pods in this namespace."
-- [parameters.actor]
-- type = "string"
-- doc = "Only sessions of this actor."
SELECT
    stage_timestamp,
    graded('low', outcome(response_code, dry_run)) AS severity,
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
WHERE kind = 'exec'
  AND ($namespace IS NULL OR namespace = $namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND (NOT listed('system_principals', principal) OR listed('system_principals', principal, 'kubernetes'))
  AND NOT listed('expected', principal, 'exec', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
