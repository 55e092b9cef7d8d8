-- title = "Authorization decisions"
-- question = "Is every request decided by an authorizer, and by which?"
-- description = """
-- Requests by kind of actor, decision and what the decision rests on: RBAC, system:masters (the
-- group, which RBAC does not limit), node (the node authorizer), another authorizer, or none
-- (allowed with no reason). Requests without any decision are in rows with decision NULL: failed
-- authentication, refused impersonation and throttling come before it."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["CIS 1.2.6", "CIS 1.2.7", "CIS 1.2.8", "PCI-DSS 7.3.1", "PCI-DSS 7.3.2", "PCI-DSS 7.3.3", "NIST AC-3", "SOC 2 CC6.1", "ISO 27001 A.5.15"]
-- attack = []
-- false_positives = "None: this is an inventory."
-- limits = "The log shows which authorizers decided, not how the apiserver is set up (--authorization-mode). Some webhook authorizers give no reason."
-- message = "[{actor_kind}|nobody]: {decision} by {basis}, requests {requests}, actors {actors}"
-- columns.key = ["actor_kind", "decision", "basis"]
-- columns.detail = ["requests", "actors", "first_actor", "last_seen"]
-- triage = ["denied-requests", "admin-actions", "anonymous-requests"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["authz_decision"]
SELECT
    actor_kind,
    coalesce(authz_decision, 'none') AS decision,
    CASE
        WHEN authz_decision IS NULL AND response_code = 401 THEN 'failed authentication'
        WHEN authz_decision IS NULL AND response_code = 429 THEN 'throttling'
        WHEN authz_decision IS NULL THEN 'nothing recorded'
        WHEN authorizer IS NOT NULL THEN authorizer
        WHEN authz_decision = 'forbid' THEN 'no authorizer allowed it'
        WHEN array_has(actor_groups, 'system:masters') THEN 'system:masters'
        WHEN actor_kind = 'node' THEN 'node authorizer'
        ELSE 'no reason given'
    END AS basis,
    count(*) AS requests,
    count(DISTINCT actor) AS actors,
    min(actor) AS first_actor,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM requests
GROUP BY actor_kind, decision, basis
ORDER BY requests DESC, actor_kind, decision, basis
