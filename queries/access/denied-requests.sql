-- title = "Denied requests"
-- question = "Who was refused what, and by which part of the apiserver?"
-- description = """
-- One row per refused request, with the gate that refused it. authentication: the credentials were
-- not accepted (401, no user). impersonation: the user may not impersonate the other user (403
-- before any decision; with constrained impersonation, the object shown is the target of the
-- request). authorization: no rule allows the request (decision forbid). admission or registry: the
-- request was authorised, and then refused by Pod Security, a webhook, a policy, a quota, the RBAC
-- escalation guard, a registry check, or the server behind the apiserver. Webhooks and policies can
-- refuse with codes other than 403; the query recognises them by their message. unknown: the log
-- does not say."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 7.3.2", "PCI-DSS 10.2.1.4", "SOC 2 CC6.1", "NIST AC-3", "HIPAA 164.308(a)(5)(ii)(C)"]
-- attack = ["T1613", "T1110"]
-- false_positives = "Controllers that act on a terminating namespace, quotas and policies that work as intended, clients with an expired token, and tools that probe their own permissions."
-- limits = "Requests refused because of load (429), and requests refused by the kubelet or another API without the apiserver, are not included. A refusal by an aggregated API server looks like one by the registry. A request that failed authentication has no user."
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
-- doc = "Only refusals by this gate: authentication, impersonation, authorization, 'admission or registry' or unknown."
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only requests in this namespace."
WITH refused AS (
    SELECT
        stage_timestamp,
        CASE
            WHEN authz_decision = 'forbid' THEN 'authorization'
            WHEN authz_decision = 'allow' THEN 'admission or registry'
            WHEN response_code = 401 THEN 'authentication'
            WHEN response_message LIKE '%cannot impersonate%' THEN 'impersonation'
            ELSE 'unknown'
        END AS refused_by,
        actor, actor_kind, username, verb, api_group, resource, subresource, namespace, name, request_uri,
        response_code, response_message, client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset
    FROM requests
    WHERE response_code IN (401, 403)
       OR authz_decision = 'forbid'
       OR (
           authz_decision = 'allow'
           AND response_code BETWEEN 400 AND 499
           AND (
               response_message LIKE '%admission webhook "%" denied the request%'
               OR response_message LIKE '%ValidatingAdmissionPolicy ''%'' with binding ''%'' denied request%'
           )
       )
)
SELECT
    stage_timestamp,
    refused_by,
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
FROM refused
WHERE ($refused_by IS NULL OR refused_by = $refused_by)
  AND ($actor IS NULL OR actor = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
