-- title = "NGINX snippet in an ingress"
-- question = "Who put configuration of their own into the ingress controller?"
-- description = """
-- Ingresses with an annotation that ingress-nginx copies into its configuration (…-snippet), or whose
-- value can break out of it (auth-url, auth-signin, auth-tls-match-cn, mirror-…, rewrite-target: CVE-2021-25742,
-- CVE-2023-5043, CVE-2025-1974). high if the content looks like an attack: Lua, proxying or files of the
-- controller, its token, or characters that end a directive; else low."""
-- severity = "high"
-- level = "Request"
-- controls = ["SOC 2 CC6.8", "NIST SI-10", "NIST CM-7"]
-- attack = ["T1190"]
-- false_positives = "Snippets that set headers are usual where they are allowed: they are low."
-- tuning = "Forbid snippets (allow-snippet-annotations: false), or give those who may use them in the list expected, with the activity services."
-- limits = "Only annotations of ingress-nginx. A patch at level Request shows the annotations that it names."
-- message = "{actor} set {annotation} on ingress {namespace}/{name} ({outcome})"
-- triage = ["object-history resource=ingresses namespace={namespace} name={name}", "field-changes resource=ingresses namespace={namespace} name={name}", "principal-timeline principal={principal}"]
-- covers = []
-- differs = "Scanners (Kubescape C-0059) find the annotation in objects; this finds who set it, and tells attacks from headers."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "name", "annotation", "outcome"]
-- columns.detail = ["value", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["ingresses.networking.k8s.io"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded(CASE WHEN suspicious THEN 'high' ELSE 'low' END, outcome) AS severity,
    outcome,
    annotation,
    value,
    actor,
    principal,
    actor_kind,
    operation,
    namespace,
    name,
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
        outcome,
        annotation,
        value,
        CASE
            WHEN annotation LIKE '%snippet'
                THEN regexp_like(
                    value,
                    '_by_lua|\blua_|\bload_module\b|\bproxy_pass\b|\balias\s|\broot\s+/|\bssl_engine\b|\binclude\s|\bclient_body_in_file_only|\bperl|\bjs_|serviceaccount|/var/run/secrets'
                    || '|\bserver\s*\{|\}\s*(?:server|location|http)\b|\blocation\s.*\{|169\.254\.169\.254|/etc/|/proc/|/dev/tcp',
                    'i'
                )
            ELSE regexp_like(value, '[;{}\n\r#\x60]|\\n|_by_lua|ssl_engine')
        END AS suspicious,
        actor,
        principal,
        actor_kind,
        operation,
        namespace,
        name,
        response_code,
        client_ip,
        peer_ip,
        user_agent,
        audit_id,
        source_file,
        source_line,
        source_offset
    FROM (
        SELECT
            stage_timestamp,
            outcome,
            regexp_match(difference['path'], 'nginx\.ingress\.kubernetes\.io/([A-Za-z0-9-]+)')[1] AS annotation,
            difference['after'] AS value,
            actor,
            principal,
            actor_kind,
            operation,
            namespace,
            name,
            response_code,
            client_ip,
            peer_ip,
            user_agent,
            audit_id,
            source_file,
            source_line,
            source_offset
        FROM (
            SELECT
                stage_timestamp,
                outcome,
                -- Against nothing, the difference is every annotation.
                unnest(json_diff('{}', body_text(object, 'metadata.annotations'))) AS difference,
                actor,
                principal,
                actor_kind,
                operation,
                namespace,
                object_name AS name,
                response_code,
                client_ip,
                peer_ip,
                user_agent,
                audit_id,
                source_file,
                source_line,
                source_offset
            FROM write_requests
            WHERE resource = 'ingresses'
              AND api_group IN ('networking.k8s.io', 'extensions')
              AND subresource = ''
              AND operation IN ('create', 'update', 'patch')
              AND (verb <> 'patch' OR operation = 'create' OR ltrim(request_object) LIKE '[%' OR body_text(request_object, 'metadata.annotations') IS NOT NULL)
              AND body_text(object, 'metadata.annotations') LIKE '%nginx.ingress.kubernetes.io/%'
              AND NOT listed('system_principals', principal)
              AND NOT listed('expected', principal, 'services', namespace)
        ) AS annotated
    ) AS named
) AS judged
WHERE value IS NOT NULL
  AND (annotation LIKE '%snippet' OR regexp_like(annotation, '^(?:auth-url|auth-signin|auth-tls-match-cn|auth-snippet|mirror-target|mirror-host|rewrite-target|permanent-redirect|app-root)$') AND suspicious)
ORDER BY stage_timestamp, source_file, source_offset, annotation, audit_id
