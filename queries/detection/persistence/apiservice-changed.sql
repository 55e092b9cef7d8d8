-- title = "Aggregated API changed"
-- question = "Who registered, changed or removed an API that another server answers?"
-- description = """
-- Writes of APIServices, deletes included: the apiserver sends all requests for that API, with the names and
-- groups of who asks, to the service. The metrics APIs and others of known_apis are low, and so is an update by a
-- service account of an API that its own namespace serves. A refused attempt, a failed one and a dry run have a
-- row, too, one step less severe: see outcome. Requests of the control plane and of principals in the list
-- expected (activity crds) are left out."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["NIST CM-3", "SOC 2 CC8.1"]
-- attack = ["T1557", "T1546"]
-- differs = "No other rule set has it."
-- false_positives = "Installation of add-ons with an API of their own."
-- limits = "At level Metadata the log does not show the service."
-- tuning = "Add the APIs of your add-ons to known_apis; add operators to expected with activity crds."
-- triage = [
--     "object-history resource={resource} name={name}", "field-changes resource={resource} name={name}",
--     "principal-timeline principal={principal}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor}: {operation} APIService [{name}|without a name][, answered by {service}] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "name"]
-- columns.detail = ["service", "insecure", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["apiservices.apiregistration.k8s.io"]
-- columns = ["response_code"]
-- [parameters.known_apis]
-- type = "strings"
-- default = [
--     "v1beta1.metrics.k8s.io", "v1.metrics.k8s.io", "v1beta1.custom.metrics.k8s.io",
--     "v1beta2.custom.metrics.k8s.io", "v1beta1.external.metrics.k8s.io", "v3.projectcalico.org",
--     "v1.packages.operators.coreos.com", "v1alpha1.clusterinsight.run.ai", "v1beta1.webhook.cert-manager.io",
-- ]
-- doc = "APIServices that add-ons install: changes of them are low."
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    stage_timestamp,
    graded(
        CASE
            WHEN coalesce(object_name = ANY($known_apis), false) THEN 'low'
            -- An operator that renews the certificate of its own API.
            WHEN operation IN ('update', 'patch') AND actor = principal
                AND body_text(object, 'spec.service.namespace') = service_account_namespace THEN 'low'
            ELSE 'high'
        END,
        outcome
    ) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    body_text(object, 'spec.service.namespace') || '/' || body_text(object, 'spec.service.name') AS service,
    body_text(object, 'spec.insecureSkipTLSVerify') = 'true' AS insecure,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE api_group = 'apiregistration.k8s.io'
  AND resource = 'apiservices'
  AND subresource = ''
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'crds', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
