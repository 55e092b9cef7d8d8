-- title = "Download by exec"
-- question = "Who fetched something from outside into a pod?"
-- description = """
-- exec sessions whose command downloads with curl, wget or the like from a URL that is not local. high
-- if the result is saved or run (piped into a shell, -o, wget), medium if it is only shown, low if it
-- is a test (-I, /dev/null, a health path). Private addresses and names of services in the cluster
-- count only if the result is saved or run."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["SOC 2 CC6.8", "NIST SI-3"]
-- attack = ["T1105"]
-- false_positives = "Tests of outgoing connections, and jobs that fetch their data by exec."
-- tuning = "Give URLs that are usual in ignored_urls, as a regular expression, and tools in the list expected, with the activity exec."
-- limits = "Only the command of the request is seen. Requests for the cloud's metadata service are exec-reads-cloud-metadata."
-- message = "{actor} downloaded {url} in pod {namespace}/{pod} ({outcome})"
-- triage = ["pod-exec-sessions namespace={namespace} actor={actor}", "principal-timeline principal={principal}", "pod-fate namespace={namespace} name={pod}"]
-- covers = ["Elastic: Kubernetes Pod Exec with Curl or Wget to HTTPS"]
-- differs = "Any scheme and several tools; tests and local addresses do not page."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "pod", "command", "outcome"]
-- columns.detail = ["command", "container", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/exec"]
-- stage = "any"
-- [parameters.ignored_urls]
-- type = "string"
-- doc = "Regular expression: leave out downloads from URLs that match."
SELECT
    stage_timestamp,
    graded(
        CASE
            WHEN saved THEN 'high'
            WHEN regexp_like(command, '\s(?:-[a-zA-Z]*I|--head|--spider)\b|/dev/null')
                OR regexp_like(url, '/(?:healthz?|livez|readyz|ready|live|ping|status|metrics|jwks(?:\.json)?)/?(?:\?|$)', 'i')
                THEN 'low'
            ELSE 'medium'
        END,
        outcome
    ) AS severity,
    outcome,
    url,
    actor,
    principal,
    actor_kind,
    verb,
    namespace,
    pod,
    container,
    command,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        stage_timestamp,
        outcome(response_code, dry_run) AS outcome,
        regexp_match(command, '(?:https?|ftps?|tftp|sftp|scp)://[^\s''"|;&)]+', 'i')[1] AS url,
        regexp_like(
            -- What goes to /dev/null is not saved.
            regexp_replace(command, '(?:-[a-zA-Z]*[oO]|--output|--output-document|>)[=\s]*/dev/null', '', 'g'),
            '\|\s*(?:sudo\s+)?(?:/\S*/)?(?:ba|da|a|z|k)?sh\b|\|\s*(?:python|perl|ruby|node|php|tar|base64|gunzip)'
            || '|\s-[a-zA-Z]*[oO](?:\s|$|=)|\s-[a-zA-Z]*o\S|--output|--remote-name|\s>\s*\S|\bchmod\b|-urlcache|-OutFile|DownloadFile|\burlretrieve\b'
            || '|\b(?:bash|sh)\s+<\('
        )
        OR regexp_like(command, '\bwget\b') AND NOT regexp_like(command, '\s-[a-zA-Z]*O\s*-|--output-document[=\s]-|--spider|/dev/null')
            AS saved,
        actor,
        principal,
        actor_kind,
        verb,
        namespace,
        name AS pod,
        container,
        command,
        response_code,
        client_ip,
        peer_ip,
        user_agent,
        audit_id,
        source_file,
        source_line,
        source_offset
    FROM exec_sessions
    WHERE kind = 'exec'
      AND regexp_like(
          command,
          '(?s)\b(?:curl|wget|fetch|aria2c|axel|lynx|links|lwp-download|lftp|http|https|ftpget|tftp|certutil|Invoke-WebRequest|iwr|DownloadFile|DownloadString'
          || '|urllib|urlretrieve|urlopen|requests\.get|open-uri|LWP::Simple|file_get_contents|bitsadmin)\b.*(?:https?|ftps?|tftp)://',
          'i'
      )
      AND (NOT listed('system_principals', principal) OR listed('system_principals', principal, 'kubernetes'))
      AND NOT listed('expected', principal, 'exec', namespace)
) AS examined
WHERE NOT regexp_like(
      url,
      '://(?:[^/@]*@)?(?:localhost|127\.[0-9.]+|0\.0\.0\.0|\[::1?\]|169\.254\.169\.254|169\.254\.170\.2|metadata(?:\.google\.internal)?|kubernetes(?:\.default(?:\.svc[a-z.]*)?)?)(?:[:/?]|$)',
      'i'
  )
  AND (
      saved
      OR NOT regexp_like(url, '://(?:[^/@]*@)?(?:10\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\.|[^./:]+(?:[:/?]|$)|[^/:]+\.(?:svc|local|internal|cluster)(?:[:/?]|$)|[^/:]*\.svc\.)', 'i')
  )
  AND ($ignored_urls IS NULL OR NOT regexp_like(url, $ignored_urls))
ORDER BY stage_timestamp, source_file, source_offset, audit_id
