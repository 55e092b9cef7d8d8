-- title = "Files copied out of pods"
-- question = "Who copied files out of a pod?"
-- description = """
-- Exec sessions whose command packs files and writes them to its output, as `kubectl cp POD:PATH .` does (tar cf -), opened,
-- refused or failed. path is what is packed. medium."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1030", "T1005"]
-- controls = ["NIST AC-4", "SOC 2 CC6.7", "ISO 27001 A.8.12"]
-- tables = ["expected"]
-- false_positives = "Support bundles, and operators that back up a database this way."
-- tuning = "Add operators and support tools to the list expected, with the activity exec."
-- limits = "What was copied, and how much, is not in the log. Files can leave through any command: cat, base64, an interactive shell. A session seen only at its start counts as succeeded."
-- message = "{actor} copied {path} out of {namespace}/{pod}[ {container}] ({outcome})"
-- columns.key = ["actor", "principal", "namespace", "pod", "path", "outcome"]
-- columns.detail = ["command", "started_at", "duration_seconds", "peer_ip", "user_agent"]
-- covers = ["P: Kubectl.CP"]
-- differs = "WebSocket sessions (verb get), tar's long options and shells that call tar are covered, and GKE's command label."
-- triage = ["pod-exec-sessions namespace={namespace} actor={actor}", "principal-timeline principal={principal}", "sessions principal={principal}"]
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
    coalesce(
        trim(regexp_match(command, '\s-\s+([^|;&]+)')[1]),
        trim(regexp_match(command, '\btar\s+\S+\s+([^-|;&][^|;&]*)')[1]),
        'files'
    ) AS path,
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
  AND regexp_like(command, '(?:^|[\s/;&|])tar\s+(?:[a-zA-Z]*c[a-zA-Z]*\b|(?:[^|;&]*\s)?(?:--create|-[a-zA-Z]*c[a-zA-Z]*)\b)')
  -- To the output: the archive is -, or no archive is named.
  AND (
      regexp_like(command, '\btar\s[^|;&]*(?:\s-(?:\s|$)|=-(?:\s|$)|f-(?:\s|$)|/dev/stdout)')
      OR NOT regexp_like(command, '\btar\s+(?:[a-zA-Z]*f[a-zA-Z]*\b|(?:[^|;&]*\s)?(?:--file|-[a-zA-Z]*f[a-zA-Z]*)\b)')
  )
  AND NOT listed('expected', principal, 'exec', namespace)
ORDER BY started_at, source_file, source_offset, audit_id
