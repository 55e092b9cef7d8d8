-- title = "Files copied into pods"
-- question = "Who copied files into a pod?"
-- description = """
-- Exec sessions whose command unpacks an archive from its input, as `kubectl cp . POD:PATH` does (tar xf -), opened, refused or
-- failed. It brings tools and changed programs into a running container. target is the folder, if the command names it."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1105", "T1570"]
-- controls = ["NIST CM-5", "SOC 2 CC6.8"]
-- tables = ["expected"]
-- false_positives = "Development tools that keep a container up to date with a folder (Skaffold, Tilt, DevSpace, Okteto)."
-- tuning = "Add developers to the list expected, with the activity exec and their namespaces."
-- limits = "What was copied is not in the log. Files can also come in by a download, or through an interactive shell."
-- message = "{actor} copied files into [{target} of ]{namespace}/{pod}[ {container}] ({outcome})"
-- columns.key = ["actor", "principal", "namespace", "pod", "target", "outcome"]
-- columns.detail = ["command", "started_at", "duration_seconds", "peer_ip", "user_agent"]
-- triage = ["pod-exec-sessions namespace={namespace} actor={actor}", "principal-timeline principal={principal}", "pod-fate namespace={namespace} name={pod}"]
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/exec"]
-- stage = "any"
SELECT
    stage_timestamp,
    graded('medium', outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    namespace,
    name AS pod,
    container,
    regexp_match(command, '\s(?:-C\s*|--directory[= ])([^\s;|&]+)')[1] AS target,
    command,
    started_at,
    CASE WHEN ended_at IS NOT NULL THEN latency_ms / 1000 END AS duration_seconds,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM exec_sessions
WHERE kind = 'exec'
  -- Letters after tar are options, later ones need a dash.
  AND regexp_like(command, '(?:^|[\s/;&|])tar\s+(?:[a-zA-Z]*x[a-zA-Z]*\b|(?:[^|;&]*\s)?(?:--extract|--get|-[a-zA-Z]*x[a-zA-Z]*)\b)')
  -- From the input: the archive is -, or no archive is named.
  AND (
      regexp_like(command, '\btar\s[^|;&]*(?:\s-(?:\s|$)|=-(?:\s|$)|f-(?:\s|$)|/dev/stdin)')
      OR NOT regexp_like(command, '\btar\s+(?:[a-zA-Z]*f[a-zA-Z]*\b|(?:[^|;&]*\s)?(?:--file|-[a-zA-Z]*f[a-zA-Z]*)\b)')
  )
  AND NOT listed('expected', principal, 'exec', namespace)
ORDER BY started_at, source_file, source_offset, audit_id
