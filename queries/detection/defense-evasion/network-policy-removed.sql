-- title = "Network policies removed or opened"
-- question = "Who removed, or tried to remove, isolation between pods?"
-- description = """
-- Network policies that were deleted, or that allow everything: a rule without peers and ports (`{}`)
-- lets all traffic through. Covers Kubernetes' NetworkPolicy, the cluster-wide policies of
-- policy.networking.k8s.io, and those of Calico, Cilium and Antrea. found is deleted, opened (an existing
-- policy now allows everything) or created open (a new policy that allows everything; low)."""
-- severity = "medium"
-- level = "Request"
-- attack = ["T1562.007"]
-- controls = ["PCI-DSS 1.2.8", "NIST SC-7", "CIS 5.3.2"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Applications that are uninstalled, or move to policies of another kind."
-- tuning = "Add deployment tools to the list expected, with the activity policies."
-- limits = "At level Metadata only deletes are found. A policy that is narrowed to other pods, or opened to large networks, is not recognised; nor is what Calico and Cilium policies allow. A JSON patch at level Request does not show the policy."
-- message = "{actor}: {resource} [{namespace}/][{name}|all] {found} ({outcome})"
-- columns.key = ["actor", "principal", "found", "resource", "namespace", "name", "outcome"]
-- columns.detail = ["open_direction", "response_code", "peer_ip", "user_agent"]
-- covers = ["S: Azure Kubernetes Network Policy Change"]
-- differs = "Sigma's rule matches every write of a network policy, the creation of a strict one too."
-- triage = ["object-history resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}", "namespace-access namespace={namespace}"]
-- [[needs]]
-- verbs = ["delete", "deletecollection"]
-- resources = [
--     "networkpolicies.networking.k8s.io", "networkpolicies.extensions", "adminnetworkpolicies.policy.networking.k8s.io",
--     "baselineadminnetworkpolicies.policy.networking.k8s.io", "clusternetworkpolicies.policy.networking.k8s.io",
--     "networkpolicies.crd.projectcalico.org", "globalnetworkpolicies.crd.projectcalico.org",
--     "networkpolicies.projectcalico.org", "globalnetworkpolicies.projectcalico.org",
--     "ciliumnetworkpolicies.cilium.io", "ciliumclusterwidenetworkpolicies.cilium.io",
--     "networkpolicies.crd.antrea.io", "clusternetworkpolicies.crd.antrea.io",
-- ]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["networkpolicies.networking.k8s.io"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    CASE WHEN found = 'created open' THEN 'low' ELSE graded('medium', outcome) END AS severity,
    outcome,
    found,
    CASE
        WHEN found = 'deleted' THEN NULL
        WHEN opens_ingress AND opens_egress THEN 'ingress and egress'
        WHEN opens_ingress THEN 'ingress'
        ELSE 'egress'
    END AS open_direction,
    actor,
    principal,
    operation,
    api_group,
    resource,
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
        judged.*,
        CASE
            WHEN verb IN ('delete', 'deletecollection') THEN 'deleted'
            WHEN (opens_ingress OR opens_egress) AND operation = 'create' THEN 'created open'
            WHEN opens_ingress OR opens_egress THEN 'opened'
        END AS found
    FROM (
        SELECT
            stage_timestamp, outcome, actor, principal, verb, operation, api_group, resource, namespace,
            object_name AS name, response_code, client_ip, peer_ip, user_agent, audit_id, source_file, source_line,
            source_offset,
            coalesce(array_has(json_elements(body_text(object, 'spec.ingress')), '{}'), false) AS opens_ingress,
            coalesce(array_has(json_elements(body_text(object, 'spec.egress')), '{}'), false) AS opens_egress
        FROM write_requests
        WHERE subresource = ''
          AND (
              verb IN ('delete', 'deletecollection')
              AND resource IN (
                  'networkpolicies', 'adminnetworkpolicies', 'baselineadminnetworkpolicies', 'clusternetworkpolicies',
                  'globalnetworkpolicies', 'ciliumnetworkpolicies', 'ciliumclusterwidenetworkpolicies'
              )
              AND api_group IN (
                  'networking.k8s.io', 'extensions', 'policy.networking.k8s.io', 'crd.projectcalico.org', 'projectcalico.org',
                  'cilium.io', 'crd.antrea.io'
              )
              OR verb IN ('create', 'update', 'patch')
              AND resource = 'networkpolicies'
              AND api_group IN ('networking.k8s.io', 'extensions')
          )
          AND NOT listed('system_principals', principal)
          AND NOT listed('expected', principal, 'policies', namespace)
    ) AS judged
) AS weakened
WHERE found IS NOT NULL
ORDER BY stage_timestamp, source_file, source_offset, audit_id
