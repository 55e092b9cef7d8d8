-- title = "Audit log volume"
-- question = "What fills the audit log?"
-- description = """
-- Events of the log by what causes them, the most bytes first: client, verb, resource, level and
-- stage, with the number of events, their bytes, and their part of all bytes in percent. Bytes are
-- those of the uncompressed events. auditql policy suggest makes rules of it, and policy simulate
-- says what they save."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["NIST AU-4", "PCI-DSS 10.5.1", "SOC 2 A1.1"]
-- attack = []
-- false_positives = "None: this is an inventory."
-- limits = "Counts what was logged, not what the apiserver did. What a log pipeline adds to each event, and what its index costs, is not included."
-- message = "{share} % of the bytes: [{principal}|nobody] {verb}[ {resource}| {path}][/{subresource}], level {level}, stage {stage}"
-- columns.key = ["principal", "verb", "api_group", "resource", "subresource", "path", "level", "stage"]
-- columns.detail = ["bytes", "events", "bytes_per_event", "user_agent"]
-- triage = ["top-clients", "object-sizes resource={resource}"]
-- tuning = "Lower min_share to see more; by_client = false leaves out who."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- stage = "any"
-- [parameters.min_share]
-- type = "number"
-- default = 0.5
-- doc = "Only causes of at least this part of all bytes, in percent."
-- [parameters.by_client]
-- type = "boolean"
-- default = true
-- doc = "Tell clients apart."
WITH caused AS (
    SELECT
        CASE WHEN $by_client THEN principal END AS principal,
        CASE WHEN $by_client THEN user_agent END AS user_agent,
        verb, api_group, resource, subresource, level, stage, event_bytes, stage_timestamp,
        -- All discovery is one cause.
        CASE
            WHEN resource IS NULL THEN regexp_match(split_part(request_uri, '?', 1), '^(/[^/]*(?:/[^/]*)?)')[1]
        END AS path
    FROM events
),
causes AS (
    SELECT
        principal, user_agent, verb, api_group, resource, subresource, path, level, stage,
        count(*) AS events,
        sum(event_bytes) AS bytes,
        min(stage_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen
    FROM caused
    GROUP BY principal, user_agent, verb, api_group, resource, subresource, path, level, stage
),
shares AS (
    SELECT
        causes.*,
        round(100.0 * bytes / nullif(sum(bytes) OVER (), 0), 2) AS share,
        round(100.0 * events / sum(events) OVER (), 2) AS share_of_events
    FROM causes
)
SELECT
    'info' AS severity,
    share,
    share_of_events,
    bytes,
    events,
    bytes / events AS bytes_per_event,
    principal,
    user_agent,
    verb,
    api_group,
    resource,
    subresource,
    path,
    level,
    stage,
    first_seen,
    last_seen
FROM shares
WHERE share >= $min_share OR share IS NULL AND share_of_events >= $min_share
ORDER BY bytes DESC, events DESC, principal, user_agent, verb, api_group, resource, subresource, path, level, stage
