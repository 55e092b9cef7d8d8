-- doc = """
-- What admission decided about each request, one row per decision: from the numbered annotations that the apiserver writes
-- for webhooks, policies and Pod Security, and from the message of what was refused. Refused requests and dry runs are
-- included. A mutating webhook has a row per call; a validating webhook only if it refused, or failed open (the apiserver
-- does not record its approval). What webhooks and policies annotate of their own is no decision: see annotations. Where
-- a delivery drops annotations, there are only refusals."""
-- [[column]]
-- name = "annotation"
-- type = "string"
-- doc = "Key of the annotation that says so; NULL for a refusal, which only response_message tells."
-- [[column]]
-- name = "annotation_value"
-- type = "string"
-- doc = "Its value; of a policy's list of failures the one failure, as JSON; of a refusal response_message."
-- [[column]]
-- name = "mechanism"
-- type = "string"
-- doc = "mutating-webhook, validating-webhook, webhook (a refusal does not say which kind), policy (ValidatingAdmissionPolicy), pod-security or image-policy."
-- [[column]]
-- name = "decision"
-- type = "string"
-- doc = "mutated or unchanged (a mutating webhook was called); failed-open (it could not be called or did not answer, and the request went on without it); failed-closed (likewise, and the request was refused); denied; violation (the request breaks a policy or Pod Security level that only audits or warns); allowed (Pod Security checked it: see controller for the level); exempt (Pod Security did not check it); error (Pod Security could not). NULL if the annotation cannot be read."
-- [[column]]
-- name = "controller"
-- type = "string"
-- doc = "Name of the webhook or policy; the level and version of Pod Security, such as restricted:latest; of an exemption its reason: namespace, user or runtimeClass."
-- [[column]]
-- name = "configuration"
-- type = "string"
-- doc = "Webhook configuration, or binding of the policy; NULL where the log does not name it."
-- [[column]]
-- name = "round"
-- type = "int64"
-- doc = "Round of a mutating webhook: 0, or 1 when it was called again after another one had changed the object."
-- [[column]]
-- name = "position"
-- type = "int64"
-- doc = "Position of the call among the webhooks of its round; NULL where the log does not number it."
-- [[column]]
-- name = "message"
-- type = "string"
-- doc = "What was violated or why it was refused."
-- [[column]]
-- name = "patch"
-- type = "json"
-- doc = "JSON patch of a mutating webhook; only in logs at level Request or above."
SELECT
    noted.*,
    CASE
        WHEN annotation LIKE 'mutation.%' OR annotation LIKE 'failed-open.mutation.%' THEN 'mutating-webhook'
        WHEN annotation LIKE 'failed-open.validating.%' THEN 'validating-webhook'
        WHEN annotation LIKE 'validation.%' THEN 'policy'
        WHEN annotation LIKE 'pod-security.%' THEN 'pod-security'
        WHEN annotation IS NOT NULL THEN 'image-policy'
        WHEN regexp_like(annotation_value, '^(?:admission|Internal error)') THEN 'webhook'
        WHEN annotation_value LIKE '% is forbidden: ValidatingAdmissionPolicy ''%' THEN 'policy'
        WHEN annotation_value LIKE '% is forbidden: violates PodSecurity "%' THEN 'pod-security'
        ELSE 'image-policy'
    END AS mechanism,
    CASE
        WHEN annotation IS NULL AND annotation_value LIKE 'Internal error occurred: %' THEN 'failed-closed'
        WHEN annotation IS NULL THEN 'denied'
        WHEN annotation LIKE '%failed-open%' OR map_extract(annotations, concat('failed-open.', annotation))[1] IS NOT NULL
            THEN 'failed-open'
        WHEN annotation LIKE 'mutation.%' AND body_text(annotation_value, 'mutated') = 'true' THEN 'mutated'
        WHEN annotation LIKE 'mutation.%' AND body_text(annotation_value, 'mutated') = 'false' THEN 'unchanged'
        WHEN annotation LIKE 'mutation.%' THEN NULL
        WHEN annotation LIKE 'validation.%' OR annotation = 'pod-security.kubernetes.io/audit-violations' THEN 'violation'
        WHEN annotation = 'pod-security.kubernetes.io/exempt' THEN 'exempt'
        WHEN annotation = 'pod-security.kubernetes.io/error' THEN 'error'
        ELSE 'allowed'
    END AS decision,
    CASE
        WHEN annotation IS NULL THEN coalesce(
            regexp_match(annotation_value, '^(?:Internal error occurred: failed calling (?:admission )?|admission )webhook "([^"]+)"')[1],
            regexp_match(annotation_value, ' is forbidden: ValidatingAdmissionPolicy ''([^'']+)''')[1],
            regexp_match(annotation_value, ' is forbidden: violates PodSecurity "([^"]+)"')[1]
        )
        WHEN annotation LIKE 'mutation.%' THEN body_text(annotation_value, 'webhook')
        WHEN annotation LIKE 'validation.%' THEN body_text(annotation_value, 'policy')
        WHEN annotation = 'pod-security.kubernetes.io/audit-violations'
            THEN regexp_match(annotation_value, '^would violate PodSecurity "([^"]+)"')[1]
        WHEN annotation LIKE 'failed-open.%'
            OR annotation IN ('pod-security.kubernetes.io/enforce-policy', 'pod-security.kubernetes.io/exempt') THEN annotation_value
    END AS controller,
    CASE
        WHEN annotation IS NULL
            THEN regexp_match(annotation_value, ' is forbidden: ValidatingAdmissionPolicy ''[^'']+'' with binding ''([^'']+)''')[1]
        WHEN annotation LIKE 'mutation.%' THEN body_text(annotation_value, 'configuration')
        WHEN annotation LIKE 'validation.%' THEN body_text(annotation_value, 'binding')
    END AS configuration,
    TRY_CAST(regexp_match(annotation, '/round_([0-9]+)_index_[0-9]+$')[1] AS BIGINT) AS round,
    TRY_CAST(regexp_match(annotation, '/round_[0-9]+_index_([0-9]+)$')[1] AS BIGINT) AS position,
    CASE
        WHEN annotation LIKE 'validation.%' THEN body_text(annotation_value, 'message')
        WHEN annotation IS NULL OR annotation IN ('pod-security.kubernetes.io/audit-violations', 'pod-security.kubernetes.io/error')
            THEN annotation_value
    END AS message,
    CASE
        WHEN annotation LIKE 'mutation.%'
            -- The patch of `mutation.webhook…/round_0_index_1` is in `patch.webhook…/round_0_index_1`.
            THEN body_text(map_extract(annotations, concat('patch.', substr(annotation, 10)))[1], 'patch')
    END AS patch
FROM (
    SELECT
        keyed.*,
        unnest(
            CASE
                WHEN annotation LIKE 'validation.%' THEN json_elements(map_extract(annotations, annotation)[1])
                ELSE map_extract(annotations, annotation)
            END
        ) AS annotation_value
    FROM (
        SELECT requests.*, unnest(map_keys(annotations)) AS annotation
        FROM requests
        WHERE annotations IS NOT NULL
    ) AS keyed
    WHERE regexp_like(annotation, '^(?:mutation|failed-open\.validating)\.webhook\.admission\.k8s\.io/round_')
       -- A mutating webhook that failed has the other annotation, too, and that is one decision.
       OR annotation LIKE 'failed-open.mutation.webhook.admission.k8s.io/round%'
           AND map_extract(annotations, substr(annotation, 13))[1] IS NULL
       OR annotation = 'pod-security.kubernetes.io/enforce-policy'
           AND (response_message LIKE '% is forbidden: violates PodSecurity "%') IS NOT TRUE
       OR annotation IN (
           'validation.policy.admission.k8s.io/validation_failure', 'pod-security.kubernetes.io/audit-violations',
           'pod-security.kubernetes.io/exempt', 'pod-security.kubernetes.io/error',
           'alpha.image-policy.k8s.io/failed-open', 'imagepolicywebhook.image-policy.k8s.io/failed-open'
       )
    UNION ALL
    SELECT requests.*, CAST(NULL AS VARCHAR) AS annotation, response_message AS annotation_value
    FROM requests
    WHERE response_code >= 400
      AND regexp_like(
          response_message,
          -- A name is quoted, with its own quotes escaped: it cannot end early.
          '^(?:admission webhook "[^"]+" denied the request'
          || '|Internal error occurred: failed calling (?:admission )?webhook "'
          || '|\S+(?: "(?:[^"\\]|\\.)*")? is forbidden: (?:violates PodSecurity "'
          || '|image policy webhook backend denied one or more images'
          || '|ValidatingAdmissionPolicy ''[^'']+'' with binding ''[^'']+'' denied request))'
      )
) AS noted
