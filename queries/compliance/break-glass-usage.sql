-- title = "Use of emergency accounts"
-- question = "When was an emergency account used, from where, and for what?"
-- description = """
-- Sessions of the accounts in the list break_glass, as in the view sessions: what one account did
-- from one address with one program without a pause of more than 30 minutes."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 8.2.2", "HIPAA 164.312(a)(2)(ii)", "SOC 2 CC6.1", "NIST AC-2(2)", "ISO 27001 A.8.2"]
-- attack = ["T1078.003"]
-- false_positives = "Drills, and real emergencies: compare with their tickets."
-- limits = "The log does not know the ticket, nor who took the credential. Only the first request of a session is its evidence: see principal-timeline for all."
-- message = "{principal} was used from {client_ip} with {program}: {started_at} to {ended_at}, requests {requests}, writes {writes}"
-- columns.key = ["principal", "client_ip", "program", "started_at"]
-- columns.detail = ["ended_at", "requests", "writes", "refusals"]
-- tables = ["break_glass"]
-- tuning = "Rows of break_glass."
-- triage = ["principal-timeline principal={principal}", "change-log", "cluster-admin-usage"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
SELECT
    session_started_at AS started_at,
    session_ended_at AS ended_at,
    principal,
    split_part(user_agent, '/', 1) AS program,
    session_requests AS requests,
    session_writes AS writes,
    session_refusals AS refusals,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM sessions
WHERE listed('break_glass', principal)
ORDER BY session_started_at, source_file, source_offset, audit_id
