#!/usr/bin/env python3
"""RBAC over a large cluster: what `rbac usage` and `rbac unused` cost beyond the scan.

    rbac.py AUDITQL [LOG...] [--profiles [A,B]] [--bytes 1GB] [--bindings 10000] [--threads 2]

A cluster with so many bindings is made up: roles of one to six rules, some with wildcards and names, bound to the users of
the log, to groups, and to service accounts that never called. The same columns are read once without any answer (`scan`);
a command's cost is its time less that one's. Peak memory is that of the whole process.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import loads  # noqa: E402: after the line that keeps the source folder clean

GROUP = "rbac.authorization.k8s.io"
VERBS = ["get", "list", "watch", "create", "update", "patch", "delete"]
RESOURCES = [
    ("", "pods"), ("", "pods/log"), ("", "configmaps"), ("", "secrets"), ("", "services"), ("", "events"),
    ("apps", "deployments"), ("apps", "replicasets"), ("batch", "jobs"), ("coordination.k8s.io", "leases"),
    ("networking.k8s.io", "ingresses"), ("example.com", "widgets"),
]
SCAN = """SELECT count(audit_id), count(verb), count(request_uri), count(username), count(user_groups),
    count(impersonated_username), count(authz_decision), count(authz_reason), count(response_code), count(stage_timestamp)
    FROM events WHERE stage <> 'RequestReceived'"""


def rule(source):
    group, resource = source.choice(RESOURCES)
    if source.random() < 0.02:
        group, resource = "*", "*"
    made = {"apiGroups": [group], "resources": [resource], "verbs": source.sample(VERBS, source.randint(1, 5))}
    if source.random() < 0.1:
        made["resourceNames"] = [f"object-{source.randint(0, 999)}"]
    return made


def cluster(bindings, users, source):
    """A dump as `kubectl get -o json` prints it."""
    items, roles = [], max(1, bindings // 5)
    namespaces = [f"ns-{number}" for number in range(max(1, bindings // 50))]
    meta = lambda name, namespace=None, **more: {  # noqa: E731
        "name": name, "uid": f"uid-{name}", "resourceVersion": "1", **({"namespace": namespace} if namespace else {}), **more,
    }
    for number in range(roles):
        rules = [rule(source) for _ in range(source.randint(1, 6))]
        items.append({"apiVersion": f"{GROUP}/v1", "kind": "ClusterRole", "metadata": meta(f"role-{number}"), "rules": rules})
    items[0]["metadata"]["labels"] = {"kubernetes.io/bootstrapping": "rbac-defaults"}
    for number in range(bindings):
        kind = "ClusterRoleBinding" if number % 10 == 0 else "RoleBinding"
        namespace = None if kind == "ClusterRoleBinding" else source.choice(namespaces)
        pick = source.random()
        if pick < 0.5 and users:
            subject = {"kind": "User", "apiGroup": GROUP, "name": source.choice(users)}
        elif pick < 0.7:
            subject = {"kind": "Group", "apiGroup": GROUP, "name": source.choice(["system:authenticated", "devs", "ops"])}
        else:
            subject = {"kind": "ServiceAccount", "name": f"account-{number}", "namespace": source.choice(namespaces)}
        items.append({
            "apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": meta(f"binding-{number}", namespace),
            "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": f"role-{source.randrange(roles)}"},
            "subjects": [subject],
        })
    return {"apiVersion": "v1", "kind": "List", "items": items}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("auditql", metavar="AUDITQL")
    loads.add_arguments(parser)
    parser.add_argument("--bindings", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    auditql = str(pathlib.Path(options.auditql).resolve())
    common = ["-q", "--threads", str(options.threads)]
    for load in loads.of(options):
        log = ["-i", str(load.log)]
        question = "SELECT DISTINCT username FROM events WHERE username IS NOT NULL LIMIT 5000"
        answer = subprocess.run([auditql, "sql", question, "-o", "jsonl", *log, *common], check=True, capture_output=True, text=True)
        users = sorted(json.loads(line)["username"] for line in answer.stdout.splitlines())
        with tempfile.TemporaryDirectory() as folder:
            dump = pathlib.Path(folder, "rbac.json")
            dump.write_text(json.dumps(cluster(options.bindings, users, random.Random(7))))
            objects = ["-i", str(dump)]
            scan, _, _ = loads.run([auditql, "sql", SCAN, *log, *common])
            print(f"{load.name}: {load.bytes / 1e9:.2f} GB, {len(users)} users, {options.bindings} bindings; scan {scan:.1f} s")
            for name, command in [
                ("usage", ["rbac", "usage", "-o", "csv"]),
                ("usage --by subject", ["rbac", "usage", "--by", "subject", "-o", "csv"]),
                ("unused", ["rbac", "unused", "-o", "csv"]),
            ]:
                seconds, peak, output = loads.run([auditql, *command, *objects, *log, *common])
                rows = output.count("\n") - 1
                print(f"  {name}: {seconds - scan:.1f} s beyond the scan, {seconds / scan:.2f} times its time, {peak:.0f} MiB, {rows} rows")


if __name__ == "__main__":
    main()
