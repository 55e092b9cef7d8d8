-- title = "Permissions of others asked for"
-- question = "Who asks the apiserver about the rights or tokens of other users?"
-- description = """
-- SubjectAccessReviews, LocalSubjectAccessReviews and TokenReviews, and OpenShift's reviews of others, by anyone but the
-- control plane. They tell whose credential is worth stealing, and whether a token is valid. Services that
-- check their own clients ask all the time, so service accounts are info; people are low, and medium if they
-- ask about at least `min_subjects` subjects. One row per client and kind of review."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1613", "T1069.003"]
-- controls = ["NIST SI-4"]
-- tables = ["system_principals", "expected"]
-- false_positives = "kube-rbac-proxy, OAuth proxies, metrics servers and operators with a protected endpoint; administrators who check what somebody may do."
-- tuning = "Add services that delegate authorization to the list expected, with the activity recon."
-- limits = "Whom the questions are about is known only at level Request."
-- message = "{actor} made {resource} from {peer_ip} ({outcome}, {requests}×[, subjects: {subjects}])"
-- columns.key = ["actor", "principal", "resource", "user_agent", "outcome"]
-- columns.detail = ["requests", "subject_names", "first_seen", "last_seen", "peer_ip"]
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}"]
-- [[needs]]
-- verbs = ["create"]
-- resources = [
--     "subjectaccessreviews.authorization.k8s.io", "localsubjectaccessreviews.authorization.k8s.io",
--     "tokenreviews.authentication.k8s.io",
-- ]
-- [parameters.min_subjects]
-- type = "integer"
-- default = 5
-- doc = "A person who asks about so many subjects is medium."
SELECT
    stage_timestamp,
    CASE
        WHEN actor_kind = 'serviceaccount' AND outcome = 'succeeded' THEN 'info'
        ELSE graded(CASE WHEN subjects >= $min_subjects THEN 'medium' ELSE 'low' END, outcome)
    END AS severity,
    outcome,
    actor,
    actor_kind,
    principal,
    resource,
    requests,
    nullif(subjects, 0) AS subjects,
    subject_names,
    first_seen,
    last_seen,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        max(stage_timestamp) AS stage_timestamp,
        outcome,
        actor,
        actor_kind,
        principal,
        resource,
        count(*) AS requests,
        count(DISTINCT subject) AS subjects,
        array_agg(DISTINCT subject ORDER BY subject) FILTER (WHERE subject IS NOT NULL) AS subject_names,
        min(stage_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen,
        client_ip,
        peer_ip,
        user_agent
    FROM (
        SELECT
            stage_timestamp, outcome, actor, actor_kind, principal, resource, client_ip, peer_ip, user_agent,
            coalesce(
                body_text(request_object, 'spec.user'), body_text(request_object, 'user'),
                'groups ' || coalesce(body_text(request_object, 'spec.groups'), body_text(request_object, 'groups'))
            ) AS subject
        FROM write_requests
        WHERE verb = 'create'
          AND (
              resource IN ('subjectaccessreviews', 'localsubjectaccessreviews') AND api_group = 'authorization.k8s.io'
              OR resource = 'tokenreviews' AND api_group IN ('authentication.k8s.io', 'oauth.openshift.io')
              OR resource IN (
                  'subjectaccessreviews', 'localsubjectaccessreviews', 'resourceaccessreviews', 'localresourceaccessreviews',
                  'subjectrulesreviews'
              ) AND api_group = 'authorization.openshift.io'
          )
          AND NOT listed('system_principals', principal)
          AND NOT listed('expected', principal, 'recon', namespace)
    ) AS reviews
    GROUP BY outcome, actor, actor_kind, principal, resource, client_ip, peer_ip, user_agent
) AS counted
ORDER BY first_seen, actor, resource, user_agent, peer_ip, client_ip, outcome
