-- title = "Interactive shell in a pod"
-- question = "Who opened an interactive shell in a pod?"
-- description = """
-- exec sessions whose command is a shell and that asked for a terminal. The command is read from the
-- request, also when env, sudo or a path comes first. On GKE, whose logs do not say whether there was
-- a terminal, a shell without -c counts."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.2", "SOC 2 CC6.7", "NIST AU-14"]
-- attack = ["T1059.004", "T1609"]
-- false_positives = "Developers in their own namespaces, and break-glass access."
-- tuning = "Give namespaces where shells are usual in ignored_namespaces, and break-glass accounts in the list expected, with the activity exec."
-- limits = "What was typed into the shell is not in the log; only a runtime sensor sees it."
-- message = "{actor} opened a shell in pod {namespace}/{pod}: {command} ({outcome})"
-- triage = ["principal-timeline principal={principal}", "pod-exec-sessions namespace={namespace} actor={actor}", "secrets-read namespace={namespace}"]
-- covers = ["Sigma: Potential Kubernetes Enumeration Activity", "Threat matrix: bash/cmd inside container"]
-- differs = "Sigma's rule looks for shells in the URI and requires the code 'ALLOW', which no event has. Here the first word of the decoded command must be a shell."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "pod", "command", "outcome"]
-- columns.detail = ["container", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/exec"]
-- stage = "any"
-- [parameters.ignored_namespaces]
-- type = "strings"
-- doc = "Leave out pods in these namespaces."
SELECT
    stage_timestamp,
    graded('medium', outcome(response_code, dry_run)) AS severity,
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
  AND regexp_like(
      command,
      '^(?:(?:\S*/)?(?:env|sudo|su|nice|setsid|script|exec)\s+(?:(?:-\S+|\w+=\S*)\s+)*)*'
      || '(?:\S*[/\\])?(?:sh|bash|ash|zsh|dash|ksh|csh|tcsh|fish|busybox|cmd|powershell|pwsh)(?:\.exe)?(?:\s|$)',
      'i'
  )
  AND (tty OR tty IS NULL AND NOT regexp_like(command, '\s(?:-[a-z]*c|/c|-Command)\s', 'i'))
  AND ($ignored_namespaces IS NULL OR (namespace = ANY($ignored_namespaces)) IS NOT TRUE)
  AND (NOT listed('system_principals', principal) OR listed('system_principals', principal, 'kubernetes'))
  AND NOT listed('expected', principal, 'exec', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
