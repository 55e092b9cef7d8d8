-- title = "Denied requests"
-- question = "Who was refused what, by which part of the apiserver, and why?"
-- description = """
-- One row per refused request, with the gate that refused it and the cause. authentication: the
-- credentials were not accepted (401, no user). impersonation: the user may not impersonate the
-- other user (403 before any decision; with constrained impersonation, the object shown is the
-- target of the request). throttling: priority and fairness, or another part of the apiserver, had
-- no room for it (429). authorization: no rule allows the request (decision forbid). admission or
-- registry: the request was authorised, and then refused by Pod Security, a webhook, a policy, a
-- quota, a disruption budget, the RBAC escalation guard, validation (422), or because a webhook
-- could not be reached (500); cause says which, and cause_name names the webhook, policy or quota.
-- unknown: the log does not say."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 7.3.2", "PCI-DSS 10.2.1.4", "SOC 2 CC6.1", "NIST AC-3", "HIPAA 164.308(a)(5)(ii)(C)"]
-- attack = ["T1613", "T1110"]
-- false_positives = "Controllers that act on a terminating namespace, quotas and policies that work as intended, clients with an expired token, invalid manifests, and tools that probe their own permissions."
-- limits = "Requests refused by the kubelet or another API without the apiserver are not included. A refusal by an aggregated API server looks like one by the registry. A request that failed authentication has no user. Missing objects (404) and conflicts (409) are not refusals."
-- message = "[{actor}|somebody] was refused by {refused_by}: {verb}[ {resource}| {request_uri}][/{subresource}][ {name}][ in {namespace}][ ({response_code})]"
-- columns.key = [
--     "refused_by", "actor", "verb", "api_group", "resource", "subresource", "namespace", "name", "response_code",
-- ]
-- columns.detail = ["response_message", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["response_code"]
-- [parameters.refused_by]
-- type = "string"
-- doc = "Only refusals by this gate: authentication, impersonation, throttling, authorization, 'admission or registry' or unknown."
-- [parameters.cause]
-- type = "string"
-- doc = "Only refusals for this cause, such as webhook-unreachable, policy, pod-security, quota or disruption-budget; `auditql schema denials` lists them."
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only requests in this namespace."
SELECT
    stage_timestamp,
    refused_by,
    cause,
    cause_name,
    actor,
    actor_kind,
    username,
    verb,
    api_group,
    resource,
    subresource,
    namespace,
    name,
    request_uri,
    response_code,
    response_message,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM denials
WHERE ($refused_by IS NULL OR refused_by = $refused_by)
  AND ($cause IS NULL OR cause = $cause)
  AND ($actor IS NULL OR actor = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
