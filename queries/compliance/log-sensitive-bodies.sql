-- title = "Secrets in the log"
-- question = "Does the audit log itself hold passwords, tokens or keys?"
-- description = """
-- Events that hold what they should not, by kind: secret (the data of Secrets), token (one that was
-- issued), reviewed token (one that was sent for review), configmap (the data of ConfigMaps:
-- recorded against the benchmarks' advice, though not secret as such), argument (a request URI or a
-- command whose argument looks like a credential). Rows count by resource, verb and level. The
-- values are never shown."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["CIS 3.2.2", "PCI-DSS 8.3.2", "SOC 2 C1.1", "NIST AU-9", "NIST IA-5(7)", "ISO 27001 A.5.17", "GDPR Art. 32", "NSA/CISA hardening guide"]
-- attack = ["T1552.007"]
-- false_positives = "Test clusters. configmap and argument rows are hints."
-- limits = "Whoever can read the log has these values: treat them as disclosed, and record these resources at level Metadata. Credentials in other objects (pod specs, custom resources) are not looked for: see credentials-in-pod-specs."
-- message = "the log holds {kind} contents: {events} events of {verb} {target} at level {level}"
-- columns.key = ["kind", "verb", "target", "level"]
-- columns.detail = ["events", "first_seen", "last_seen"]
-- triage = ["log-level-coverage", "log-access", "credentials-in-pod-specs"]
-- [[needs]]
-- resources = ["secrets", "configmaps", "serviceaccounts/token", "tokenreviews.authentication.k8s.io"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["request_uri"]
WITH held AS (
    SELECT
        CASE
            WHEN api_group = '' AND resource = 'secrets' AND subresource = '' THEN 'secret'
            WHEN api_group = '' AND resource = 'serviceaccounts' AND subresource = 'token' THEN 'token'
            WHEN api_group = 'authentication.k8s.io' AND resource = 'tokenreviews' THEN 'reviewed token'
            ELSE 'configmap'
        END AS kind,
        verb, api_group, resource, subresource, level, stage_timestamp
    FROM requests
    WHERE level IN ('Request', 'RequestResponse')
      AND (
          api_group = '' AND resource IN ('secrets', 'configmaps') AND subresource = '' AND (
              body_text(request_object, 'data') IS NOT NULL OR body_text(request_object, 'stringData') IS NOT NULL
              OR body_text(response_object, 'data') IS NOT NULL OR body_text(json_elements(body_text(response_object, 'items'))[1], 'data') IS NOT NULL
              OR body_text(request_object, 'metadata.annotations."kubectl.kubernetes.io/last-applied-configuration"') IS NOT NULL
          )
          OR api_group = '' AND resource = 'serviceaccounts' AND subresource = 'token' AND body_text(response_object, 'status.token') <> ''
          OR api_group = 'authentication.k8s.io' AND resource = 'tokenreviews' AND coalesce(body_text(request_object, 'spec.token'), body_text(response_object, 'spec.token')) <> ''
      )
    UNION ALL
    SELECT 'argument' AS kind, verb, api_group, resource, subresource, level, stage_timestamp
    FROM requests
    WHERE regexp_like(request_uri, '(?i)[?&](?:access_token|token|password|passwd|secret|api_?key)=[^&]{4}')
       OR subresource = 'exec' AND regexp_like(exec_command(request_uri), '(?i)(?:password|passwd|token|secret|api[_-]?key)s?[= ]\S{4}')
)
SELECT
    CASE kind WHEN 'configmap' THEN 'info' WHEN 'argument' THEN 'low' ELSE 'medium' END AS severity,
    kind,
    verb,
    coalesce(nullif(concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')), ''), 'no resource') AS target,
    level,
    count(*) AS events,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM held
GROUP BY kind, verb, api_group, resource, subresource, level
ORDER BY CASE kind WHEN 'configmap' THEN 2 WHEN 'argument' THEN 1 ELSE 0 END, kind, target, verb, level
