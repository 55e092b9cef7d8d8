#!/usr/bin/env python3
"""Write `tests/data/formats/{gke,gke-bigquery}/`; `cases_pubsub.py` writes those of Pub/Sub.

    python3 cases_gke.py

Entries are made by `log_entry.py`; what is expected of the finished input is what `gke.py` reads from it.
"""

import gzip
import sys

sys.dont_write_bytecode = True
import gke
from case import (
    INVALID,
    NOT_AN_EVENT,
    by_key,
    event,
    line,
    ndjson,
    pretty,
    spaced,
    where,
    where_id,
    write_case,
)
from exact_json import Number, dumps, loads
from log_entry import *


def gke_columns(values, name="gke"):
    rows = [gke.columns(value) for value in values]
    columns = {key: [row[key] for row in rows] for key in ("cluster", "account", "log_stream")}
    return columns | {"format": [name] * len(rows), "latency_ms": [None] * len(rows)}


def gke_case(path, name, content, values, row_format="gke", more_columns=None, **more):
    """`values` are the entries of the input, in its order; those of other services count as skipped."""
    ours = [value for value in values if gke.event(value) is not None]
    others = len(values) - len(ours)
    skipped = more.pop("skipped", {})
    if others:
        skipped = skipped | {NOT_AN_EVENT: skipped.get(NOT_AN_EVENT, 0) + others}
    columns = gke_columns(ours, row_format) | (more_columns or {})
    write_case(
        path, name, content, [gke.event(value) for value in ours], columns, skipped=skipped, **more
    )


def gke_cases():
    bindings = where_id(verb="patch", objectRef__resource="clusterrolebindings")
    bound, read, patched, unbound = (
        entry(event(name)) for name in ("4633f549", "c0a60e14", bindings, "b575f20f")
    )

    # `gcloud logging read --format=json`: an array, newest first.
    newest_first = [by_key(value) for value in (bound, read, patched, unbound)]
    newest_first.sort(key=lambda value: value["timestamp"], reverse=True)
    gke_case("gke/gcloud-read-array", "input.json", pretty(newest_first) + "\n", newest_first)

    # Cloud Storage sink: one a line, members by name; the bucket has other services' entries too.
    account = where_id(
        verb="create", objectRef__resource="serviceaccounts", objectRef__namespace="dev-a"
    )
    sink = [entry(event(account)), CONTAINER_API, entry(event("866db36b")), CONTAINER_STDOUT]
    sink.append(entry(event("0b3549c7")))
    sink = [by_key(value) for value in sink]
    gke_case("gke/storage-sink-lines", "input.json", ndjson(sink), sink)

    # One entry as the Logs Explorer copies it; protoPayload first.
    gke_case("gke/one-object", "input.json", pretty(bound) + "\n", [bound])
    gke_case(
        "gke/array-on-one-line",
        "input.json",
        spaced([read, patched, unbound]),
        [read, patched, unbound],
    )
    lines = ndjson([bound, read])
    gke_case("gke/gzip", "input.json.gz", gzip.compress(lines.encode(), 9, mtime=0), [bound, read])

    # Trap 1: status.code is google.rpc.Code.
    codes = [small(status=None), small(status={}), small(status={"code": Number(0)})]
    codes += [
        small(status={"code": Number(code), "message": message})
        for code, message in (
            (1, "CANCELLED"),
            (2, "UNKNOWN"),
            (3, "INVALID_ARGUMENT"),
            (4, "DEADLINE_EXCEEDED"),
            (5, 'configmaps "alice-0" not found'),
            (6, "ALREADY_EXISTS"),
            (
                7,
                'configmaps "alice-0" is forbidden: User "bob@example.com" cannot delete resource "configmaps"',
            ),
            (8, "RESOURCE_EXHAUSTED"),
            (9, "FAILED_PRECONDITION"),
            (10, "ABORTED"),
            (11, "OUT_OF_RANGE"),
            (12, "UNIMPLEMENTED"),
            (13, "INTERNAL"),
            (14, "UNAVAILABLE"),
            (15, "DATA_LOSS"),
            (16, "UNAUTHENTICATED"),
        )
    ]
    gke_case("gke/grpc-codes", "input.json", ndjson(codes), codes)

    # 200 or 201: entries of successes hold no HTTP code.
    created = [entry(event(name)) for name in ("290c1130", "f3e769d2", "12b72d32", "9fb4d479")]
    gke_case("gke/created-or-ok", "input.json", ndjson(created), created)

    # Traps 1 and 3: a Status in the response knows better; `granted` is not the decision.
    forbidden = entry(event("264ef773"))
    missing = entry(event(where_id(objectRef__subresource="eviction", responseStatus__code="404")))
    invalid = entry(
        event(where_id(verb="create", objectRef__resource="pods", responseStatus__code="422"))
    )
    conflict = small(
        "290c1130", status={"code": Number(10), "message": 'secrets "x" already exists'}
    )
    conflict["protoPayload"]["response"] = {
        "@type": "core.k8s.io/v1.Status",
        "apiVersion": "v1",
        "code": Number(409),
        "details": {"kind": "secrets", "name": "sh.helm.release.v1.svc-0.v1"},
        "kind": "Status",
        "message": 'secrets "sh.helm.release.v1.svc-0.v1" already exists',
        "metadata": {},
        "reason": "AlreadyExists",
        "status": "Failure",
    }
    quota = entry(
        event(where_id(verb="create", objectRef__namespace="quota", responseStatus__code="403"))
    )
    del quota["protoPayload"]["authorizationInfo"][0]["granted"]
    webhook = small(
        "290c1130", status={"code": Number(3), "message": "admission webhook denied the request"}
    )
    webhook["protoPayload"]["response"] = {
        "@type": "core.k8s.io/v1.Status",
        "apiVersion": "v1",
        "code": Number(400),
        "kind": "Status",
        "message": 'admission webhook "names.lab.example.com" denied the request: no such team',
        "metadata": {},
        "status": "Failure",
    }
    denials = [forbidden, missing, invalid, conflict, quota, webhook]
    gke_case(
        "gke/status-in-response",
        "input.json",
        ndjson(denials),
        denials,
        more_columns={
            "authz_decision": [v["labels"]["authorization.k8s.io/decision"] for v in denials]
        },
    )

    # A Status that is a success, of a delete, is a body like any other.
    success = {
        "@type": "core.k8s.io/v1.Status",
        "apiVersion": "v1",
        "kind": "Status",
        "metadata": {},
    }
    success |= {"details": {"kind": "configmaps", "name": "alice-0"}, "status": "Success"}
    deleted = small(response=success)
    gke_case("gke/status-of-success", "input.json", ndjson([deleted]), [deleted])

    # Trap 2: `2 UNKNOWN` where the connection is upgraded; trap 7: what follows a subresource.
    pod = "core/v1/namespaces/kube-system/pods/coredns-74d454ff75-jgvcg"
    sessions = [entry(event("a6e33e01", "ResponseStarted")), entry(event("a6e33e01"))]
    sessions.append(small_session("6249d798", f"{pod}/exec/coredns-74d454ff75-jgvcg"))
    sessions.append(
        small_session("6249d798", f"{pod}/attach/coredns-74d454ff75-jgvcg", "attach.create")
    )
    sessions.append(small_session("6249d798", f"{pod}/portforward", "portforward.create"))
    sessions.append(small_session("6249d798", f"{pod}/proxy/metrics/v1/all", "proxy.get"))
    node = small_session("6249d798", "core/v1/nodes/node-1/proxy/metrics/cadvisor")
    node["protoPayload"]["methodName"] = "io.k8s.core.v1.nodes.proxy.get"
    service = small_session("6249d798", "core/v1/namespaces/web/services/https:frontend:443/proxy")
    service["protoPayload"]["methodName"] = "io.k8s.core.v1.services.proxy.create"
    refused = small_session("6249d798", f"{pod}/exec")
    refused["protoPayload"]["status"] = {"code": Number(7), "message": "FORBIDDEN"}
    elsewhere = small_session("6249d798", f"{pod}/log")
    elsewhere["protoPayload"]["methodName"] = "io.k8s.core.v1.pods.log.get"
    sessions += [node, service, refused, elsewhere]
    gke_case("gke/switching-protocols", "input.json", ndjson(sessions), sessions)

    of_configmaps = where_id(
        verb="watch", objectRef__resource="configmaps", objectRef__namespace="dev-a"
    )
    watch = [
        entry(event(of_configmaps, stage)) for stage in ("ResponseStarted", "ResponseComplete")
    ]
    gke_case("gke/watch", "input.json", ndjson(watch), watch)

    # Trap 4: the group in methodName is reversed and cut.
    groups = [entry(event(name)) for name in ("12b72d32", "cfb2ea3e", "976ac95f")]
    groups.append(
        small(
            methodName="io.k8s.extensions.v1beta1.deployments.create",
            resourceName="extensions/v1beta1/namespaces/dev-a/deployments/svc-0",
        )
    )
    groups.append(
        small(
            methodName="com.google.cloud.v1.computeclasses.status.update",
            resourceName="cloud.google.com/v1/computeclasses/spot/status",
        )
    )
    groups.append(
        small(
            methodName="io.k8s.authorization.rbac.v1.rolebindings.deletecollection",
            resourceName="rbac.authorization.k8s.io/v1/namespaces/dev-a/rolebindings",
        )
    )
    gke_case("gke/api-groups", "input.json", ndjson(groups), groups)

    # Trap 5: a namespace, and what is in one.
    def of_namespaces(method, path):
        return small(methodName=f"io.k8s.core.v1.{method}", resourceName=f"core/v1/{path}")

    spaces = [
        entry(event("3dc72180")),
        of_namespaces("namespaces.get", "namespaces/team-x"),
        of_namespaces("namespaces.create", "namespaces/team-x"),
        of_namespaces("namespaces.list", "namespaces"),
        of_namespaces("namespaces.status.update", "namespaces/team-x/status"),
        of_namespaces("namespaces.finalize.update", "namespaces/team-x/finalize"),
        of_namespaces("pods.list", "namespaces/team-x/pods"),
        of_namespaces("pods.deletecollection", "namespaces/team-x/pods"),
        of_namespaces("nodes.delete", "nodes/node-1"),
    ]
    gke_case("gke/namespaces", "input.json", ndjson(spaces), spaces)

    # Trap 6: generateName.
    named = entry(event("0d681bed"))
    at = named["protoPayload"]
    at["resourceName"] = at["authorizationInfo"][0]["resource"] = (
        "core/v1/namespaces/slow-hooks/pods"
    )
    del at["request"]["metadata"]["name"]
    at["request"]["metadata"]["generateName"] = "s-"
    at["response"]["metadata"] |= {"generateName": "s-", "name": "s-x7k2p"}
    refused = entry(event("264ef773"))
    review = entry(event(where_id(objectRef__resource="selfsubjectaccessreviews")))
    no_body = small("290c1130", resourceName="core/v1/namespaces/dev-a/secrets")
    generated = [named, refused, review, no_body]
    gke_case("gke/generate-name", "input.json", ndjson(generated), generated)

    # Trap 8: no resource, whatever it looks like.
    paths = [entry(event("4b1a35c5"))]
    paths += [
        small(methodName=f"io.k8s.{verb}", resourceName=path, status=status)
        for verb, path, status in (
            ("get", "readyz", {}),
            ("get", "api/v1", {}),
            ("get", "apis/apps/v1", {}),
            ("get", "HNAP1", {"code": Number(7), "message": "PERMISSION_DENIED"}),
            ("get", "core/templates/preview", {"code": Number(7), "message": "PERMISSION_DENIED"}),
            ("post", "sdk", {}),
        )
    ]
    gke_case("gke/non-resource", "input.json", ndjson(paths), paths)

    # Nobody: 401 has no user and no labels at all; anonymous has both.
    unauthorized = event("76dff5b6", "ResponseStarted")
    unauthorized = entry(unauthorized, status={"code": Number(16), "message": "Unauthorized"})
    with_status = small(
        authenticationInfo={},
        status={"code": Number(16), "message": "Unauthorized"},
        response={
            "@type": "core.k8s.io/v1.Status",
            "apiVersion": "v1",
            "code": Number(401),
            "kind": "Status",
            "message": "Unauthorized",
            "metadata": {},
            "reason": "Unauthorized",
            "status": "Failure",
        },
        _labels=None,
    )
    anonymous = loads(
        where(verb="list", user__username="system:anonymous", responseStatus__code="403")
    )
    nobody = [unauthorized, with_status, small(authenticationInfo=None), entry(anonymous)]
    gke_case(
        "gke/unauthenticated",
        "input.json",
        ndjson(nobody),
        nobody,
        more_columns={"username": [None, None, None, "system:anonymous"]},
    )

    agent = "kubectl/v1.36.2"
    callers = [
        small(requestMetadata=metadata)
        for metadata in (
            {"callerIp": "::1", "callerSuppliedUserAgent": agent},
            {"callerIp": "private", "callerSuppliedUserAgent": agent},
            {"callerIp": "gce-internal-ip", "callerSuppliedUserAgent": agent},
            {"callerIp": "2001:db8::17"},
            {"callerSuppliedUserAgent": agent},
            None,
        )
    ]
    gke_case("gke/callers", "input.json", ndjson(callers), callers)

    # Levels follow from the bodies, which are carried as they are, but for their own `@type`.
    odd = loads(
        '{"@type":"k8s.io/Patch","data":{"@type":"is kept","big":12345678901234567890,"float":1.50,'
        '"minus":-0,"text":"caf\u00e9 \\u003cb\\u003e \\u2028 \\" \\\\ \\/ \\ud83d\\ude00","empty":{},"null":null,"list":[[],{}]}}'
    )
    items = {
        "@type": "core.k8s.io/v1.ConfigMapList",
        "apiVersion": "v1",
        "items": [],
        "kind": "ConfigMapList",
    }
    options = {
        "@type": "meta.k8s.io/__internal.DeleteOptions",
        "apiVersion": "meta.k8s.io/__internal",
    }
    bodies = [
        small(request=odd),
        small(response=items),
        small(request=options, response=odd),
        small(),
    ]
    content = "".join(dumps(value).replace("\u2028", "\\u2028") + "\n" for value in bodies)
    levels = {"level": ["Request", "RequestResponse", "RequestResponse", "Metadata"]}
    gke_case("gke/levels-and-bodies", "input.json", content, bodies, more_columns=levels)

    # auditID and stage where the operation is not all there.
    operations = [
        small(_operation=None, _insertId="0c6c2f1e-1f0a-4d3c-9a55-3d2f6f1f7a10"),
        small(_operation={}, _insertId="9d1bd3d4-7a40-4fd5-8c5b-6f0f4e7f2f31"),
        small(_operation={"id": "op-1", "producer": "k8s.io", "first": True}, _insertId="insert-1"),
        small(_operation={"id": "op-1", "producer": "k8s.io", "last": True}, _insertId="insert-2"),
        small(
            _operation={"id": "op-2", "producer": "k8s.io", "first": True, "last": True},
            _insertId="insert-3",
        ),
    ]
    gke_case(
        "gke/operations",
        "input.json",
        ndjson(operations),
        operations,
        more_columns={
            "stage": ["ResponseComplete"] * 2 + ["ResponseStarted"] + ["ResponseComplete"] * 2
        },
    )

    times = [
        "2026-11-22T10:14:31.2Z",
        "2026-11-22T10:14:31Z",
        "2026-11-22T10:14:31.201065Z",
        "2026-11-22T10:14:31.201065123Z",
    ]
    read_as = ["31.200000Z", "31.000000Z", "31.201065Z", "31.201065Z"]
    stamped = [small(_timestamp=time) for time in times]
    gke_case(
        "gke/timestamps",
        "input.json",
        ndjson(stamped),
        stamped,
        more_columns={"stage_timestamp": ["2026-11-22T10:14:" + second for second in read_as]},
    )

    labelled = [
        small(
            _labels={
                "audit.k8s.io/truncated": "true",
                "authorization.k8s.io/decision": "allow",
                "authorization.k8s.io/reason": "access granted by IAM permissions.",
                "command.gke.io/dryRun": "All",
                "k8s.io/deprecated": "true",
                "k8s.io/removed-release": "1.40",
                "mutation.webhook.admission.k8s.io/round_0_index_5": '{"configuration":"c","webhook":"w","mutated":false}',
                "pod-security.kubernetes.io/enforce-policy": "privileged:latest",
            }
        ),
        small(_severity="NOTICE"),
    ]
    gke_case(
        "gke/labels",
        "input.json",
        ndjson(labelled),
        labelled,
        more_columns={"truncated": [True, False]},
    )

    # Trap 9: names are not escaped.
    names = [
        entry(event("4633f549")),
        small(
            methodName="io.k8s.authorization.rbac.v1.clusterroles.update",
            resourceName="rbac.authorization.k8s.io/v1/clusterroles/system:controller:glbc",
        ),
        small(resourceName="core/v1/namespaces/dev-a/configmaps/100%"),
    ]
    gke_case("gke/names", "input.json", ndjson(names), names)

    # Trap 10: other spellings.
    snakes = [snake_case(value) for value in (bound, entry(event("866db36b")), forbidden)]
    gke_case("gke/snake-case", "input.json", pretty(snakes) + "\n", snakes)
    dumped = [go_dump(value) for value in (bound, entry(event("a6e33e01")), missing, small())]
    gke_case("gke/go-client-dump", "input.json", ndjson(dumped), dumped)

    broken = dumps(read).replace('"serviceName":"k8s.io"', '"serviceName":k8s.io')
    cut = dumps(unbound)[:400]
    content = dumps(bound) + "\n" + broken + "\n\n" + cut + "\n" + dumps(patched) + "\n"
    gke_case("gke/broken-neighbours", "input.json", content, [bound, patched], rejects={INVALID: 2})


def small_session(event_id, path, method=None):
    value = entry(event(event_id))
    value["protoPayload"]["resourceName"] = path
    if method:
        value["protoPayload"]["methodName"] = f"io.k8s.core.v1.pods.{method}"
    return value


def gke_bigquery_cases():
    values = [entry(event(name)) for name in ("4633f549", "c0a60e14", "264ef773")]
    container = row(CONTAINER_API, utc)

    def micros(time):
        seconds, _, fraction = time.removesuffix(" UTC").replace(" ", "T").partition(".")
        return f"{seconds}.{fraction[:6]:0<6}Z"

    def case(name, content, rows, **more):
        ours = [found for found in map(gke.event, rows) if found]
        decisions = [
            found.get("annotations", {}).get("authorization.k8s.io/decision") for found in ours
        ]
        more_columns = {"stage_timestamp": [micros(found["stageTimestamp"]) for found in ours]}
        more_columns["authz_decision"] = decisions
        gke_case(
            f"gke-bigquery/{name}",
            "input.json",
            content,
            rows,
            "gke-bigquery",
            more_columns,
            **more,
        )

    # `bq extract --destination_format=NEWLINE_DELIMITED_JSON`: nulls are left out.
    extracted = [gke.without_nulls(row(value, utc)) for value in values] + [
        gke.without_nulls(container)
    ]
    case("extract-lines", ndjson(extracted), extracted)

    # `bq query --format=json`, the console's "Save results": an array, nulls, scalars as strings.
    queried = [as_strings(row(value, utc)) for value in values]
    case("query-array", pretty(queried) + "\n", queried)

    rows = [
        row(value, nanoseconds)
        for value in (values[0], entry(event("a6e33e01", "ResponseStarted")))
    ]
    case("nanoseconds-without-zone", ndjson(rows), rows)

    # A table's columns are the union of all labels: most are null; what `_` stood for is lost.
    labels = row(small(), utc)
    labels["labels"] |= {
        "image_policy_lab_example_com_tag": "latest",
        "command_gke_io_dryRun": None,
    }
    no_labels = row(small(_labels=None), utc) | {"labels": None}
    case("labels", ndjson([labels, no_labels]), [labels, no_labels])


if __name__ == "__main__":
    gke_cases()
    gke_bigquery_cases()
