-- title = "Attached to a pod"
-- question = "Who attached to the process of which pod?"
-- description = """
-- One row per attach session: the client reads the output of a container's main process and, if stdin
-- is true, writes to its input."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.2", "SOC 2 CC6.7", "NIST AU-14"]
-- attack = ["T1609"]
-- false_positives = "kubectl run -it and kubectl debug, which attach to the pod that they have just created."
-- tuning = "Give the principals whose job is to attach in the list expected, with the activity exec."
-- limits = "What was typed or read is not in the log. 101 means that the stream was opened."
-- message = "{actor} attached to pod {namespace}/{pod}[ {container}] ({outcome})"
-- triage = ["pod-exec-sessions namespace={namespace} actor={actor}", "principal-timeline principal={principal}", "pod-fate namespace={namespace} name={pod}"]
-- covers = ["Falco: Attach/Exec Pod"]
-- differs = "Falco looks at verb create; kubectl 1.31 and later sends get. Exec and attach are two ids here."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "pod", "container", "outcome"]
-- columns.detail = ["stdin", "tty", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/attach"]
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
WHERE kind = 'attach'
  AND ($namespace IS NULL OR namespace = $namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND (NOT listed('system_principals', principal) OR listed('system_principals', principal, 'kubernetes'))
  AND NOT listed('expected', principal, 'exec', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
