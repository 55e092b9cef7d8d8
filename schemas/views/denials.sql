-- doc = """
-- One row per request that the apiserver turned down, with the gate that did (refused_by) and the cause: everything with
-- code 401, 403, 422 or 429, a decision forbid, and requests that an admission webhook or policy refused with another
-- code, or that failed because a webhook could not be reached (failurePolicy Fail, 500). Missing objects (404), conflicts
-- (409) and malformed requests (400) are not denials. The cause is read from explanation, so that names that a client
-- chose cannot imitate one. Where a delivery drops messages and annotations it is unknown."""
-- [[column]]
-- name = "explanation"
-- type = "string"
-- doc = "response_message without what the apiserver puts before the cause: `pods \"x\" is forbidden: ` or `Internal error occurred: `."
-- [[column]]
-- name = "cause"
-- type = "string"
-- doc = "authentication, impersonation, authorization; priority-and-fairness (429 before authorization), throttling (any other 429: an aggregated API, storage), disruption-budget; webhook, webhook-unreachable, policy (ValidatingAdmissionPolicy), pod-security, security-context-constraints (OpenShift), image-policy, quota, limit-range, namespace-terminating, rbac-escalation, node-restriction, signer (certificate signing requests), service-account; invalid (422: the object is not valid, or a field cannot be changed); admission (authorised, and refused with 403 by something else in admission or the registry); unknown."
-- [[column]]
-- name = "cause_name"
-- type = "string"
-- doc = "Name of the webhook, policy or quota, or level of the Pod Security policy, such as restricted:latest. NULL for other causes."
-- [[column]]
-- name = "refused_by"
-- type = "string"
-- doc = "Gate that refused: authentication, impersonation, throttling, authorization or admission or registry (one value); unknown if the log does not say."
SELECT
    caused.*,
    CASE cause
        WHEN 'webhook' THEN regexp_match(explanation, '^admission webhook "([^"]+)"')[1]
        WHEN 'webhook-unreachable' THEN regexp_match(explanation, '^failed calling (?:admission )?webhook "([^"]+)"')[1]
        WHEN 'policy' THEN regexp_match(explanation, '^ValidatingAdmissionPolicy ''([^'']+)''')[1]
        WHEN 'pod-security' THEN regexp_match(explanation, '^violates PodSecurity "([^"]+)"')[1]
        WHEN 'quota' THEN regexp_match(explanation, '^(?:exceeded|failed) quota: ([^,:]+)')[1]
    END AS cause_name,
    CASE
        WHEN cause IN ('authentication', 'impersonation', 'authorization', 'unknown') THEN cause
        WHEN cause IN ('priority-and-fairness', 'throttling') THEN 'throttling'
        ELSE 'admission or registry'
    END AS refused_by
FROM (
    SELECT
        explained.*,
        CASE
            WHEN authz_decision = 'forbid' THEN 'authorization'
            WHEN response_code = 401 THEN 'authentication'
            WHEN response_code < 400 THEN NULL
            WHEN explanation LIKE 'admission webhook "%" denied the request%' THEN 'webhook'
            WHEN explanation LIKE 'failed calling webhook "%' OR explanation LIKE 'failed calling admission webhook "%'
                OR explanation LIKE 'conversion webhook for %' AND response_code >= 500 THEN 'webhook-unreachable'
            WHEN explanation LIKE 'ValidatingAdmissionPolicy ''%'' with binding ''%'' denied request%' THEN 'policy'
            -- Only evictions have a budget. Priority and fairness comes before authorization, and leaves no decision.
            WHEN response_code = 429 AND (
                explanation LIKE 'Cannot evict pod as it would violate the pod''s disruption budget%'
                OR subresource = 'eviction' AND response_details LIKE '%"DisruptionBudget"%'
            ) THEN 'disruption-budget'
            WHEN response_code = 429 AND authz_decision IS NULL
                AND (explanation IS NULL OR explanation ILIKE 'too many requests%') THEN 'priority-and-fairness'
            WHEN response_code = 429 THEN 'throttling'
            WHEN response_code = 422 THEN 'invalid'
            WHEN response_code <> 403 THEN NULL
            WHEN authz_decision IS NULL AND explanation LIKE '%cannot impersonate%' THEN 'impersonation'
            WHEN explanation LIKE 'violates PodSecurity "%' THEN 'pod-security'
            WHEN explanation LIKE 'unable to validate against any security context constraint%' THEN 'security-context-constraints'
            WHEN explanation LIKE 'image policy webhook backend denied one or more images%' THEN 'image-policy'
            WHEN explanation LIKE 'exceeded quota: %' OR explanation LIKE 'failed quota: %'
                OR explanation LIKE 'insufficient quota to consume: %' OR explanation LIKE 'status unknown for quota: %' THEN 'quota'
            WHEN explanation LIKE 'unable to create new content in namespace % because it is being terminated' THEN 'namespace-terminating'
            WHEN explanation LIKE 'user "%) is attempting to grant RBAC permissions not currently held%' THEN 'rbac-escalation'
            -- `plugin/pkg/admission/limitranger`: one sentence, or several in brackets.
            WHEN regexp_like(explanation, '^\[?(?:minimum|maximum) \S+ (?:usage|limit)|^\[?\S+ max limit to request ratio per ') THEN 'limit-range'
            WHEN explanation LIKE 'error looking up service account %' OR explanation LIKE 'service account % was not found%' THEN 'service-account'
            WHEN api_group = 'certificates.k8s.io'
                AND (explanation LIKE 'use of % signer with %' OR explanation LIKE 'user not permitted to % requests with signerName %') THEN 'signer'
            WHEN authz_decision = 'allow' AND actor_kind = 'node' THEN 'node-restriction'
            WHEN authz_decision = 'allow' THEN 'admission'
            ELSE 'unknown'
        END AS cause
    FROM (
        SELECT
            requests.*,
            regexp_replace(
                response_message,
                -- A name is quoted, with its own quotes escaped: it cannot end early.
                '^(?:\S+(?: "(?:[^"\\]|\\.)*")? is forbidden: |Internal error occurred: )',
                ''
            ) AS explanation
        FROM requests
        WHERE response_code >= 400 OR authz_decision = 'forbid'
    ) AS explained
) AS caused
WHERE cause IS NOT NULL
