-- title = "Credentials written into pod specs"
-- question = "Which workloads carry a password, token or key as plain text?"
-- description = """
-- Admitted pods and workloads with an environment variable that is named like a credential
-- (PASSWORD, TOKEN, SECRET, API_KEY …) and has a literal value. variable is the first such name.
-- The value is not shown. What a controller creates from a template is left out, since the template
-- has its own row."""
-- severity = "medium"
-- level = "Request"
-- controls = ["PCI-DSS 8.6.2", "NIST IA-5(7)", "SOC 2 CC6.1", "CIS 5.4.1", "ISO 27001 A.5.17"]
-- attack = ["T1552.001"]
-- false_positives = "Names that only look like it: TOKEN_URL with a literal URL, SECRET_NAME. Test values."
-- limits = "Whoever can read pods or this log can read the value. Credentials in arguments, ConfigMaps and annotations are not looked for here: see configmap-credentials. A name in another order of members than name, value is not found."
-- message = "{actor}: {resource} {namespace}/{name} has a literal {variable} in its environment"
-- columns.key = ["resource", "namespace", "name", "variable"]
-- columns.detail = ["actor", "stage_timestamp", "user_agent"]
-- tables = ["system_principals"]
-- triage = ["secrets-in-environment namespace={namespace}", "log-sensitive-bodies", "object-history resource={resource} namespace={namespace} name={name}"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "replicationcontrollers", "podtemplates", "deployments.apps", "daemonsets.apps",
--     "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch",
-- ]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    actor,
    principal,
    resource,
    namespace,
    object_name AS name,
    regexp_match(pod_spec, '(?i)"name"\s*:\s*"([^"]*(?:password|passwd|secret|token|api_?key|credential|private_?key)[^"]*)"\s*,\s*"value"\s*:\s*"[^"$]')[1] AS variable,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM pod_specs
WHERE response_code BETWEEN 200 AND 299
  AND (dry_run LIKE '%All%') IS NOT TRUE
  AND NOT listed('system_principals', principal)
  AND regexp_like(pod_spec, '(?i)"name"\s*:\s*"([^"]*(?:password|passwd|secret|token|api_?key|credential|private_?key)[^"]*)"\s*,\s*"value"\s*:\s*"[^"$]')
  -- The name of a Secret, a file or an address is none.
  AND NOT regexp_like(regexp_match(pod_spec, '(?i)"name"\s*:\s*"([^"]*(?:password|passwd|secret|token|api_?key|credential|private_?key)[^"]*)"\s*,\s*"value"\s*:\s*"[^"$]')[1], '(?i)(?:_name|_file|_path|_url|_uri|_host|_endpoint|_dir|_ttl|_type|_enabled)$')
ORDER BY stage_timestamp, source_file, source_offset, audit_id
