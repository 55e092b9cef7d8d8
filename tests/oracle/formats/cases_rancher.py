#!/usr/bin/env python3
"""Write `tests/data/formats/rancher/`.

    python3 cases_rancher.py

`rancher.py` says what is expected.
"""

import sys

sys.dont_write_bytecode = True
import rancher
from case import INVALID, NOT_AN_EVENT, event, ndjson, pretty, write_case
from exact_json import Number, dumps

ALICE = {
    "name": "user-x7k2p",
    "group": ["system:authenticated", "system:cattle:authenticated", "github_team://4711"],
    "extra": {
        "principalid": ["github_user://90210", "local://user-x7k2p"],
        "requesthost": ["rancher.example.com"],
        "requesttokenid": ["token-4zv9q"],
        "username": ["alice"],
    },
}
DOWNSTREAM = "/k8s/clusters/c-m-7wq4x9kd"


def request(number, method, uri, code=200, user=ALICE, address="10.42.0.17:51544", **more):
    """A record of today's shape at level 0."""
    return {
        "auditID": f"0e8f3b7a-52c4-4c11-9a0d-{number:012}",
        "requestURI": uri,
        "user": user,
        "method": method,
        "remoteAddr": address,
        "responseCode": Number(code),
        "requestTimestamp": "2026-11-22T11:14:30+01:00",
        "responseTimestamp": "2026-11-22T11:14:31+01:00",
    } | more


def rancher_case(name, records, content=None, **more):
    ours = [record for record in records if rancher.event(record)]
    columns = {"cluster": [rancher.cluster(record) for record in ours]}
    for column in ("account", "log_stream"):
        columns[column] = [None] * len(ours)
    columns["format"] = ["rancher"] * len(ours)
    columns |= more.pop("more_columns", {})
    if len(records) > len(ours):
        more["skipped"] = {NOT_AN_EVENT: len(records) - len(ours)}
    content = ndjson(records) if content is None else content
    write_case(
        f"rancher/{name}",
        "input.log",
        content,
        [rancher.event(record) for record in ours],
        columns,
        **more,
    )


def rancher_cases():
    headers = {
        "requestHeader": {
            "Accept": ["application/json"],
            "Cookie": ["[redacted]"],
            "User-Agent": [
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
            ],
            "X-Api-Csrf": ["[redacted]"],
        },
        "responseHeader": {"Content-Type": ["application/json"], "X-Api-Cattle-Auth": ["true"]},
    }
    own = [
        request(1, "GET", "/v3/schemas"),
        request(2, "GET", "/v1/apps.deployments?page=1&pagesize=100&sort=metadata.name"),
        request(3, "POST", "/v3/clusters", 201),
        request(4, "PUT", "/v3/project/c-m-7wq4x9kd:p-fdr4s/workloads/deployment:default:nginx"),
        request(5, "DELETE", "/v3/tokens/kubeconfig-user-x7k2p", 204),
        {"level": "info", "msg": "Listening on :443", "time": "2026-11-22T10:14:29Z"},
    ]
    stamps = {"stage_timestamp": ["2026-11-22T10:14:31.000000Z"] * 5}
    rancher_case("own-apis", own, more_columns=stamps)
    printed = [request(1, "GET", "/v3/schemas"), request(2, "GET", "/v1/configmaps", **headers)]
    rancher_case("pretty-printed", printed, "".join(pretty(value, 4) + "\n" for value in printed))
    rancher_case(
        "headers",
        [
            request(1, "GET", "/v1/pods", **headers),
            request(2, "GET", "/v1/pods", requestHeader={"Accept": ["*/*"]}),
        ],
    )

    # Level 3: bodies; secrets are taken out, what is no JSON is named.
    role = event("4633f549")["requestObject"]
    bodies = [
        request(
            1,
            "POST",
            f"{DOWNSTREAM}/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            201,
            requestBody=role,
            responseBody=role,
            **headers,
        ),
        request(
            2,
            "POST",
            f"{DOWNSTREAM}/api/v1/namespaces/web/secrets",
            201,
            requestBody={"kind": "Secret", "data": "[redacted]"},
            **headers,
        ),
        request(
            3,
            "POST",
            "/v3/import",
            200,
            requestBody={
                "auditLogError": "failed to unmarshal request body: invalid character 'x'"
            },
        ),
        request(
            4,
            "PUT",
            "/v3/settings/server-url",
            200,
            requestBody={
                "value": "https://caf\u00e9.example.com/?a=1&b=<2>",
                "big": Number("12345678901234567890"),
            },
        ),
    ]
    rancher_case("bodies", bodies)

    # Passed on to a cluster: what kube-apiserver would have made of it.
    k8s = [
        request(number, method, DOWNSTREAM + path, code)
        for number, (method, path, code) in enumerate(
            (
                ("GET", "/api/v1/namespaces/dev-a/pods?limit=500", 200),
                ("GET", "/api/v1/namespaces/dev-a/pods/web-0", 200),
                (
                    "GET",
                    "/api/v1/namespaces/dev-a/configmaps?allowWatchBookmarks=true&watch=true",
                    200,
                ),
                ("GET", "/api/v1/pods?fieldSelector=metadata.name%3Dweb-0&watch=1", 200),
                ("POST", "/apis/apps/v1/namespaces/dev-a/deployments?dryRun=All", 201),
                ("PATCH", "/apis/apps/v1/namespaces/dev-a/deployments/web/scale", 200),
                ("PUT", "/apis/stable.example.com/v1/crontabs/ct-0/status", 409),
                ("DELETE", "/api/v1/namespaces/dev-a/secrets/db-credentials", 200),
                ("DELETE", "/api/v1/namespaces/dev-a/secrets", 403),
            )
        )
    ]
    rancher_case("downstream-resources", k8s)
    more = [
        request(number, method, prefix + path, code)
        for number, (method, prefix, path, code) in enumerate(
            (
                ("GET", DOWNSTREAM, "/api/v1/namespaces", 200),
                ("GET", DOWNSTREAM, "/api/v1/namespaces/dev-a", 200),
                (
                    "POST",
                    DOWNSTREAM,
                    "/api/v1/namespaces/dev-a/pods/web-0/exec?command=sh&stdin=true&tty=true",
                    101,
                ),
                (
                    "GET",
                    DOWNSTREAM,
                    "/api/v1/namespaces/dev-a/services/http:web:80/proxy/metrics/cadvisor",
                    200,
                ),
                ("GET", DOWNSTREAM, "/apis/apps/v1", 200),
                ("GET", DOWNSTREAM, "/version", 200),
                ("GET", DOWNSTREAM, "/v1/apps.deployments", 200),
                (
                    "GET",
                    "/k8s/clusters/local",
                    "/apis/management.cattle.io/v3/clusters/c-m-7wq4x9kd",
                    200,
                ),
                ("PUT", "/k8s/clusters/local", "/api/v1/namespaces/dev-a/finalize", 200),
            )
        )
    ]
    rancher_case("downstream-paths", more)

    login = {
        "name": "system:cattle:error",
        "group": ["system:unauthenticated", "system:cattle:error"],
    }
    robot = {
        "name": "system:serviceaccount:cattle-impersonation-system:cattle-impersonation-user-x7k2p",
        "group": ["system:serviceaccounts", "system:authenticated"],
        "requestUser": "user-b2q9d",
        "requestGroups": ["system:authenticated", "github_team://4711"],
    }
    people = [
        request(
            1,
            "POST",
            "/v3-public/localProviders/local?action=login",
            201,
            login,
            userLoginName="alice",
        ),
        request(
            2,
            "POST",
            "/v3-public/localProviders/local?action=login",
            401,
            login,
            requestBody={"password": "[redacted]"},
            userLoginName="mallory",
        ),
        request(3, "GET", f"{DOWNSTREAM}/api/v1/secrets", 200, robot),
        request(4, "GET", "/ping", 200, {}, "[2001:db8::17]:40112"),
        request(5, "GET", "/healthz", 200, {}, "10.42.0.1"),
    ]
    del people[3]["user"]
    rancher_case("people", people)

    # The shape of 2018: two records, joined by auditID.
    old = {"name": "user-x7k2p", "group": ["system:authenticated"]}
    ids = "30022177-9e2e-43d1-b0d0-06ef9d3db18"
    asked = {
        "auditID": ids + "3",
        "requestURI": "/v3/project/c-bcz5t:p-fdr4s/workloads/deployment:default:nginx",
        "sourceIPs": ["::1"],
        "user": old,
        "verb": "PUT",
        "stage": "RequestReceived",
        "stageTimestamp": "2018-07-20 10:33:06 +0800",
        "requestBody": {
            "paused": False,
            "containers": [{"image": "nginx"}],
            "description": "my description",
        },
    }
    answered = {
        "auditID": ids + "3",
        "responseStatus": "200",
        "stage": "ResponseComplete",
        "stageTimestamp": "2018-07-20 10:33:07 +0800",
        "responseBody": {"state": "active", "paused": False},
    }
    passed = {
        "auditID": ids + "4",
        "requestURI": "/k8s/clusters/c-bcz5t/api/v1/namespaces/default/pods?limit=10",
        "sourceIPs": ["10.64.3.58"],
        "user": old,
        "verb": "GET",
        "stage": "RequestReceived",
        "stageTimestamp": "2018-07-20 10:34:00 -0730",
    }
    text = {
        "auditID": ids + "4",
        "responseStatus": "403",
        "stage": "ResponseComplete",
        "stageTimestamp": "2018-07-20 10:34:01 -0730",
        "responseBody": "forbidden\n",
    }
    shapes = [asked, answered, passed, text]
    stamps = {
        "stage_timestamp": [
            "2018-07-20T02:33:06.000000Z",
            "2018-07-20T02:33:07.000000Z",
            "2018-07-20T18:04:00.000000Z",
            "2018-07-20T18:04:01.000000Z",
        ]
    }
    rancher_case("shape-of-2018", shapes, more_columns=stamps)
    rancher_case(
        "shape-of-2018-pretty", shapes[:2], "".join(pretty(value) + "\n" for value in shapes[:2])
    )

    # The sidecar prints the log to stdout; containerd cuts long lines.
    sidecar = ""
    for number, record in enumerate(bodies[:2] + own[:1]):
        text, stamp = dumps(record), f"2026-11-22T10:14:31.00{number}123456Z stdout"
        if number == 0:
            sidecar += (
                f"{stamp} P {text[:700]}\n{stamp} P {text[700:1400]}\n{stamp} F {text[1400:]}\n"
            )
        else:
            sidecar += f"{stamp} F {text}\n"
    rancher_case("cri-sidecar", bodies[:2] + own[:1], sidecar)

    broken = dumps(own[0]) + "\n" + dumps(own[1])[:200] + "\n" + dumps(own[2]) + "\n"
    rancher_case("broken-neighbours", [own[0], own[2]], broken, rejects={INVALID: 1})


if __name__ == "__main__":
    rancher_cases()
