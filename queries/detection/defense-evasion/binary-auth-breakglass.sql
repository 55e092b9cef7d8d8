-- title = "Image policy bypassed by break-glass"
-- question = "Who started pods that ask to bypass the image policy?"
-- description = """
-- Pods and pod templates with the break-glass label image-policy.k8s.io/break-glass=true (Binary
-- Authorization on GKE) or the break-glass annotation of ImagePolicyWebhook. The policy lets their images
-- run unchecked. Pods that controllers create from a template are left out: the template is the finding."""
-- severity = "high"
-- level = "Request"
-- attack = ["T1562.001"]
-- controls = ["NIST SI-7", "SLSA deployment"]
-- tables = ["system_principals"]
-- false_positives = "Emergencies. Each should have a ticket."
-- tuning = "Accept the findings that have a ticket."
-- limits = "At level Metadata only requests that the apiserver itself marks with a break-glass annotation are found. Whether an image would have been refused is not in the log. The label means nothing in a cluster without an image policy."
-- message = "{actor} bypassed the image policy with {resource} {namespace}/[{name}|without a name] ({outcome})"
-- columns.key = ["actor", "principal", "operation", "resource", "namespace", "name", "outcome"]
-- columns.detail = ["sign", "response_code", "peer_ip", "user_agent"]
-- covers = ["G: BINARY_AUTHORIZATION_BREAKGLASS_WORKLOAD_CREATE", "G: BINARY_AUTHORIZATION_BREAKGLASS_WORKLOAD_UPDATE"]
-- triage = ["object-history resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}", "pod-fate namespace={namespace}"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "pods", "replicationcontrollers", "podtemplates", "deployments.apps", "daemonsets.apps", "statefulsets.apps",
--     "replicasets.apps", "jobs.batch", "cronjobs.batch",
-- ]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded('high', outcome) AS severity,
    outcome,
    sign,
    actor,
    principal,
    operation,
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
        stage_timestamp, outcome, actor, principal, operation, resource, namespace, object_name AS name, response_code,
        client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
        CASE
            WHEN array_to_string(map_keys(annotations), ' ') LIKE '%image-policy.k8s.io/break-glass%' THEN 'annotation of the event'
            -- A quote inside a value is escaped, so what looks like a key is one.
            WHEN object LIKE '%image-policy.k8s.io/break-glass%'
                AND regexp_like(
                    concat_ws(
                        ' ',
                        body_text(object, 'metadata.labels'), body_text(object, 'metadata.annotations'),
                        body_text(object, 'spec.template.metadata.labels'), body_text(object, 'spec.template.metadata.annotations'),
                        body_text(object, 'spec.jobTemplate.spec.template.metadata.labels'),
                        body_text(object, 'spec.jobTemplate.spec.template.metadata.annotations'),
                        body_text(object, 'template.metadata.labels'), body_text(object, 'template.metadata.annotations')
                    ),
                    '"(?:alpha\.)?image-policy\.k8s\.io/break-glass":"true"'
                ) THEN 'label or annotation'
            WHEN ltrim(object) LIKE '[%' AND regexp_like(object, 'image-policy\.k8s\.io~1break-glass"[^}]*"value":"true"')
                THEN 'JSON patch'
        END AS sign
    FROM write_requests
    WHERE verb IN ('create', 'update', 'patch')
      AND (
          resource IN ('pods', 'replicationcontrollers', 'podtemplates') AND api_group = ''
          OR resource IN ('deployments', 'daemonsets', 'statefulsets', 'replicasets') AND api_group = 'apps'
          OR resource IN ('jobs', 'cronjobs') AND api_group = 'batch'
      )
      AND subresource = ''
      AND NOT listed('system_principals', principal)
) AS marked
WHERE sign IS NOT NULL
ORDER BY stage_timestamp, source_file, source_offset, audit_id
