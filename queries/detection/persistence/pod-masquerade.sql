-- title = "Pod named like another's"
-- question = "Who created pods whose names imitate those of system components or of a controller's pods?"
-- description = """
-- Pods that somebody other than a controller created under a name that they chose: either that of a system
-- component (components), medium, or one that ends as the names of a Deployment's pods do, low. A pod with an
-- owner is left out where the log has the body, and so is a name that the apiserver generated. A refused attempt,
-- a failed one and a dry run have a row, too, one step less severe: see outcome. Requests of the control plane and
-- of principals in the list expected (activity workloads) are left out."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["NIST SI-4", "SOC 2 CC7.2"]
-- attack = ["T1036.005"]
-- covers = ["Google SCC: pod name masquerading", "Microsoft threat matrix: Pod/container name similarity"]
-- false_positives = "Debugging copies of a component's pod, and restores of single pods."
-- limits = "At level Metadata the log does not show whether a pod has an owner: pods of third-party controllers that name them this way are low. Workloads (a Deployment kube-proxy) are in pod-in-system-namespace."
-- tuning = "Change components; add controllers that create pods to expected with activity workloads."
-- triage = [
--     "object-history resource={resource} namespace={namespace} name={name}",
--     "principal-timeline principal={principal}", "pod-fate namespace={namespace} name={name}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor} created pod {namespace}/{name}, which looks like a {imitates}[, with image {image}] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "namespace", "name"]
-- columns.detail = ["imitates", "image", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["pods"]
-- columns = ["response_code"]
-- [parameters.components]
-- type = "strings"
-- default = [
--     "kube-proxy", "coredns", "kube-dns", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd",
--     "kube-flannel(?:-ds)?", "calico-(?:node|typha|kube-controllers)", "cilium(?:-operator)?", "weave-net",
--     "canal", "kindnet", "aws-node", "azure-cns", "azure-ip-masq-agent", "cloud-node-manager",
--     "ebs-csi-(?:node|controller)", "csi-[a-z]+-node", "pdcsi-node", "gke-metadata-server", "fluentbit-gke",
--     "konnectivity-agent", "metrics-server", "node-local-dns", "local-path-provisioner", "storage-provisioner",
--     "kube-state-metrics", "node-exporter",
-- ]
-- doc = "Names of system components, as regular expressions, without the suffixes of their pods."
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
SELECT
    stage_timestamp,
    graded(CASE imitates WHEN 'system component' THEN 'medium' ELSE 'low' END, outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    imitates,
    containers(pod_spec(resource, object))[1]['image'] AS image,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        write_requests.*,
        CASE
            WHEN regexp_like(name, concat('^(?:', array_to_string($components, '|'), ')(?:-[0-9a-z]+)*$')) THEN 'system component'
            -- Suffixes that Kubernetes generates have no vowels, and neither 0, 1 nor 3.
            WHEN regexp_like(name, '-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$') THEN 'pod of a controller'
        END AS imitates
    FROM write_requests
    WHERE api_group = '' AND resource = 'pods' AND subresource = '' AND operation = 'create'
) AS pods
WHERE imitates IS NOT NULL
  AND coalesce(body_text(object, 'metadata.ownerReferences'), '[]') IN ('[]', 'null')
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'workloads', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
