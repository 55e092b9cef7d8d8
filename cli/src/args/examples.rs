//! What stands below the flags in `--help`: examples, and what their output means. Lines fit 80
//! columns.

pub(super) const AUDITQL: &str = "\
Examples:
  Open the shell:
    auditql -i audit.log
  Ask one question:
    auditql sql \"SELECT count(*) FROM requests\" -i logs/
  Run a saved query on the last 24 hours:
    auditql run secrets-read-by-humans -i logs/ --since 24h
  Convert a log once, then query the Parquet file:
    auditql convert -i logs/ --to events.parquet
  Add new events to a lake, as often as you like:
    auditql convert -i logs/ --to /srv/lake
  Check a lake against its evidence:
    auditql lake verify /srv/lake

Exit codes:
  0    success
  1    findings (`check`, `lake verify`, `policy lint`)
  2    error
  3    success, but part of the input could not be read
  130  interrupted";

pub(super) const SHELL: &str = "\
Examples:
  auditql shell -i audit.log
  auditql -i audit.log

In the shell, statements end with `;` and `.help` lists the commands.";

pub(super) const SQL: &str = "\
Examples:
  auditql sql \"SELECT username, verb, resource, count(*) n FROM requests
    GROUP BY ALL ORDER BY n DESC LIMIT 10\" -i audit.log
  auditql sql -f report.sql -i logs/ -o csv

`auditql schema` lists tables, views and functions.";

pub(super) const RUN: &str = "\
Examples:
  auditql run secrets-read-by-humans -i audit.log --since 24h
  auditql run secrets-read-by-humans -i logs/ -P namespace=payments -o json

`auditql queries` lists saved queries; `auditql queries show ID` explains one.";

pub(super) const CHECK: &str = "\
Examples:
  Ask everything that can be found:
    auditql check -i logs/
  Fail a pipeline on what is new, and show it in code scanning:
    auditql check -i audit.log --accept accepted.jsonl -o sarif=auditql.sarif
  Accept what is there today:
    auditql check -i audit.log --write-accept accepted.jsonl
  One pack, and a query of your own:
    auditql check --pack access --query ./mine.sql -i logs/ -o json

An accepted finding is a line of JSON:
  {\"fingerprint\": \"…\", \"reason\": \"…\", \"until\": \"2027-01-01\"}

Exit codes:
  0    no finding of --fail-on
  1    findings of --fail-on that are not accepted
  2    error, also of a single query; the others are asked
  3    part of the input could not be read, whatever was found
  130  interrupted";

pub(super) const QUERIES: &str = "\
Examples:
  auditql queries
  auditql queries show secrets-read-by-humans";

pub(super) const CONVERT: &str = "\
Examples:
  Write one Parquet file:
    auditql convert -i logs/ --to events.parquet --summary run.json
  Restore the original events from it:
    auditql convert -i events.parquet --to events.jsonl
  Add what is new to a lake, on a schedule:
    auditql convert -q -i /var/log/kubernetes/ --to /srv/lake
    auditql convert -i s3://logs/2026/ --to s3://evidence/lake

A lake stores every event once, however often you convert the same logs.
`--since` and `--until` apply to files only: a lake takes whole logs.";

pub(super) const SCHEMA: &str = "\
Examples:
  auditql schema
  auditql schema requests";

pub(super) const FORMATS: &str = "\
Example:
  auditql formats -o json";

pub(super) const COMPLETIONS: &str = "\
Example:
  auditql completions bash > ~/.local/share/bash-completion/completions/auditql";

pub(super) const MAN: &str = "\
Example:
  auditql man | man -l -";

pub(super) const POLICY_LINT: &str = "\
Examples:
  auditql policy lint audit-policy.yaml
  auditql policy lint - -o json < audit-policy.yaml

Exit codes:
  0  nothing found
  1  the apiserver takes the policy, and it has weaknesses
  2  the apiserver refuses the policy";

pub(super) const POLICY_EXPLAIN: &str = "\
Examples:
  One request, in words:
    auditql policy explain audit-policy.yaml --verb get --resource secrets \\
      --namespace web --user alice --group system:authenticated
  Each event of a log:
    auditql policy explain audit-policy.yaml -i audit.log -o jsonl

A policy sees the authenticated user, whomever the request impersonates.";

pub(super) const POLICY_SIMULATE: &str = "\
Examples:
  auditql policy simulate new-policy.yaml -i logs/
  auditql policy simulate new-policy.yaml -i logs/ --by query -o json

What the log does not hold cannot be added: where the policy records more than
the log, events and bytes are a lower bound.";

pub(super) const POLICY_COVERAGE: &str = "\
Examples:
  What a policy lets you ask:
    auditql policy coverage audit-policy.yaml
  What a log lets you ask:
    auditql policy coverage -i logs/
  What a policy would have left of a log:
    auditql policy coverage new-policy.yaml -i logs/ -o json

Status:
  evaluable         every request that the query looks at is recorded
  partly evaluable  some are
  not evaluable     none is recorded, or all lack what the query needs
  unknown           the log has no such request: unused or not recorded";

pub(super) const POLICY_SUGGEST: &str = "\
Examples:
  auditql policy suggest -i logs/
  auditql policy suggest audit-policy.yaml -i logs/ --min-saving 5
  auditql policy suggest audit-policy.yaml -i logs/ -o yaml > new-policy.yaml

-o yaml writes a policy with the changes; other outputs write a row per change.
Writes by people, secrets, RBAC and sessions in pods are never hidden.";

pub(super) const RBAC_USAGE: &str = "\
Examples:
  kubectl get clusterroles,roles,clusterrolebindings,rolebindings,sa \\
    -A -o json > rbac.json
  auditql rbac usage -i rbac.json -i logs/
  auditql rbac usage -i rbac.json -i logs/ --by subject
  auditql rbac usage -i rbac.json -i logs/ -o csv > permissions.csv

A permission is used if a request that RBAC allowed is covered by it, whichever
binding the apiserver named. What leaves no event is `not observable`.";

pub(super) const RBAC_UNUSED: &str = "\
Examples:
  auditql rbac unused -i rbac.json -i logs/
  auditql rbac unused -i rbac.json -i logs/ -o json

Whatever is marked removable can go together: the log is replayed without all
of it, and no request is denied.";

pub(super) const RBAC_SUGGEST: &str = "\
Examples:
  auditql rbac suggest --subject serviceaccount:web/shop -i logs/ > role.yaml
  auditql rbac suggest --all -i logs/
  auditql rbac suggest --subject user:alice --diff -i rbac.json -i logs/

Suggestions are exact: no wider in verbs, names or namespaces than what was
used, unless a flag asks for it. Each is replayed over the log before it is
written.";

pub(super) const RBAC_WHAT_IF: &str = "\
Examples:
  auditql rbac what-if --remove clusterrolebinding/admins -i rbac.json -i logs/
  auditql rbac what-if --apply new-roles.yaml -i rbac.json -i logs/";

pub(super) const RBAC_DENIED: &str = "\
Examples:
  auditql rbac denied -i logs/
  auditql rbac denied -i logs/ -o json";

pub(super) const RBAC_RISK: &str = "\
Examples:
  auditql rbac risk -i rbac.json -i logs/
  auditql rbac risk --subject serviceaccount:web/default -i rbac.json -i logs/";

pub(super) const RBAC_EXPLAIN: &str = "\
Example:
  auditql rbac explain 2a5c1f9e-8c3b-4a91-9d0e-1b7e6a1f3c55 \\
    -i rbac.json -i logs/";

pub(super) const RBAC_CAN_I: &str = "\
Examples:
  auditql rbac can-i list secrets -n web --as alice -i rbac.json
  auditql rbac can-i create pods/exec -n web --as alice --as-group devs \\
    -i rbac.json
  auditql rbac can-i get /metrics --as system:serviceaccount:mon:agent \\
    -i rbac.json

Exit codes:
  0  yes
  1  no";

pub(super) const RBAC_WHO_CAN: &str = "\
Examples:
  auditql rbac who-can list secrets -i rbac.json
  auditql rbac who-can create pods/exec -n web -i rbac.json";

pub(super) const RBAC_REPLAY: &str = "\
Examples:
  auditql rbac replay -i rbac.json -i logs/ -o json
  auditql rbac replay --as-of-events -i rbac.json -i logs/

Exit codes:
  0  the objects explain every decision of the log
  1  they disagree with some, which the rows show";

pub(super) const SOURCES: &str = "\
Examples:
  auditql lake sources /srv/lake
  auditql lake sources /srv/lake --as-of 2026-11-01 -o json

The table `sources` has more detail: one row per part of a log.";

pub(super) const HISTORY: &str = "\
Examples:
  auditql lake history /srv/lake --limit 10
  auditql sql \"SELECT count(*) FROM events\" -i /srv/lake --as-of 12";

pub(super) const VERIFY: &str = "\
Examples:
  auditql lake verify /srv/lake
  auditql lake verify /srv/lake -i /archive/logs/
  auditql lake verify s3://evidence/lake --no-originals -o jsonl

Status:
  ok       matches the evidence
  differs  does not match the evidence; the exit code is 1
  gone     the original is missing or replaced, which is not an error
  expired  removed by `lake expire`";

pub(super) const EXPORT: &str = "\
Examples:
  Export one day:
    auditql lake export /srv/lake --to events.jsonl \\
      --since 2026-11-01 --until 2026-11-02
  Restore one log to stdout, in its original order:
    auditql lake export /srv/lake --source 5f0c1d2e… --to -";

pub(super) const OPTIMIZE: &str = "\
Example:
  auditql lake optimize /srv/lake

Readers and writers may continue meanwhile. The merged files stay until
`lake vacuum` deletes them.";

pub(super) const EXPIRE: &str = "\
Examples:
  auditql lake expire /srv/lake --older-than 400d --dry-run
  auditql lake expire /srv/lake --older-than 400d

The files stay until `lake vacuum` deletes them. The evidence stays for good,
and expired events are not added again.";

pub(super) const VACUUM: &str = "\
Examples:
  auditql lake vacuum /srv/lake --dry-run
  auditql lake vacuum /srv/lake --older-than 7d

Versions that need the deleted files can no longer be read in full. A run that
takes longer than --older-than may lose files that it still needs.";
