-- title = "What everybody may do"
-- question = "What was allowed only because everybody, or every service account, may do it?"
-- description = """
-- Requests allowed through a binding of system:authenticated, system:unauthenticated,
-- system:anonymous, system:serviceaccounts or a group of all service accounts of a namespace, to a
-- role that is not one of the defaults (system:basic-user, system:discovery,
-- system:public-info-viewer, system:service-account-issuer-discovery). One row per subject, binding
-- and permission. Unauthenticated subjects are medium, any other low."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["CIS 5.1.1", "PCI-DSS 7.2.2", "PCI-DSS 7.3.3", "SOC 2 CC6.1", "NIST AC-6", "ISO 27001 A.5.15"]
-- attack = ["T1078"]
-- false_positives = "OpenShift binds system:authenticated to more roles."
-- limits = "The apiserver names one grant that allows a request; a binding that is not named may allow it, too. What nobody used does not show: see `auditql rbac`."
-- message = "{subject_kind} {subject_name} allowed {verb} {target} through {via} ({requests}×, {actors} actors)"
-- columns.key = ["subject_kind", "subject_name", "via", "verb", "api_group", "resource", "subresource", "path"]
-- columns.detail = ["role", "requests", "actors", "last_seen"]
-- tuning = "default_roles: more roles that everybody may have."
-- triage = ["rbac-binding-usage", "anonymous-requests", "authorization-decisions"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["authz_decision"]
-- [parameters.default_roles]
-- type = "strings"
-- default = ["system:basic-user", "system:discovery", "system:public-info-viewer", "system:service-account-issuer-discovery", "system:openshift:public-info-viewer"]
-- doc = "Roles that everybody may have."
SELECT
    CASE WHEN subject_name IN ('system:unauthenticated', 'system:anonymous') THEN 'medium' ELSE 'low' END AS severity,
    subject_kind,
    subject_name,
    binding_kind || ' ' || concat_ws('/', binding_namespace, binding_name) AS via,
    role_kind || ' ' || role_name AS role,
    verb,
    api_group,
    resource,
    subresource,
    CASE WHEN resource IS NULL THEN split_part(request_uri, '?', 1) END AS path,
    coalesce(nullif(concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')), ''), split_part(request_uri, '?', 1)) AS target,
    count(*) AS requests,
    count(DISTINCT actor) AS actors,
    min(actor) AS first_actor,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM requests
WHERE authz_decision = 'allow'
  AND (
      subject_kind = 'Group' AND (subject_name IN ('system:authenticated', 'system:unauthenticated', 'system:serviceaccounts') OR subject_name LIKE 'system:serviceaccounts:%')
      OR subject_kind = 'User' AND subject_name = 'system:anonymous'
  )
  AND (role_name = ANY($default_roles)) IS NOT TRUE
  -- kubeadm lets everybody read what a node needs to join.
  AND (role_name = 'kubeadm:bootstrap-signer-clusterinfo') IS NOT TRUE
GROUP BY subject_kind, subject_name, via, role, verb, api_group, resource, subresource, path, target
ORDER BY CASE WHEN subject_name IN ('system:unauthenticated', 'system:anonymous') THEN 0 ELSE 1 END, requests DESC, subject_name, via, api_group, resource, subresource, path, verb
