#!/usr/bin/env python3
"""Write `tests/data/formats/yandex/`.

    python3 cases_yandex.py

Audit Trails hold the event verbatim, but for `responseStatus.code`: expected are the sample's own lines.
"""

import sys

sys.dont_write_bytecode = True
from case import NOT_AN_EVENT, line, ndjson, pretty, write_case
from exact_json import Number, dumps, loads

YANDEX_CLUSTER = "cat0s1o2m3e4c5l6u7s8"


def trail(text, number, snake=False):
    """An event of Audit Trails around an event of the apiserver; codes become strings on the way."""
    native = loads(text)
    if "code" in native.get("responseStatus", {}):
        native["responseStatus"]["code"] = str(native["responseStatus"]["code"])
    verb = "".join(part.capitalize() for part in native["verb"].split("_")) or "NonstandardVerb"
    result = {
        "eventId": f"cat1d2e3f4g5h6i7j8k{number}",
        "eventSource": "k8s",
        "eventType": f"yandex.cloud.audit.k8s.apiserver.ApiServer{verb}",
        "eventTime": native["stageTimestamp"],
        "authentication": {
            "authenticated": bool(native["user"]),
            "subjectType": "KUBERNETES_USER",
            "subjectName": native["user"].get("username", ""),
        },
        "authorization": {"authorized": True},
        "resourceMetadata": {
            "path": [
                {"resourceType": "resource-manager.folder", "resourceId": "b1gf0l1d2e3r4"},
                {
                    "resourceType": "k8s.cluster",
                    "resourceId": YANDEX_CLUSTER,
                    "resourceName": "shop",
                },
            ]
        },
        "requestMetadata": {
            "remoteAddress": native["sourceIPs"][0],
            "userAgent": native["userAgent"],
            "requestId": native["auditID"],
        },
        "eventStatus": "DONE",
        "details": {"nativeApiServerEvent": native, "clusterId": YANDEX_CLUSTER},
    }
    if snake:
        names = {
            "eventId": "event_id", "eventSource": "event_source", "eventType": "event_type",
            "eventTime": "event_time", "resourceMetadata": "resource_metadata", "resourceType": "resource_type",
            "resourceId": "resource_id", "resourceName": "resource_name", "requestMetadata": "request_metadata",
            "remoteAddress": "remote_address", "userAgent": "user_agent", "requestId": "request_id",
            "eventStatus": "event_status", "subjectType": "subject_type", "subjectName": "subject_name",
            "clusterId": "cluster_id", "nativeApiServerEvent": "native_api_server_event",
        }  # fmt: skip

        def rename(value):
            if isinstance(value, list):
                return [rename(element) for element in value]
            if not isinstance(value, dict):
                return value
            return {
                names.get(k, k): v if k == "nativeApiServerEvent" else rename(v)
                for k, v in value.items()
            }

        result = rename(result)
    return result


def yandex_cases():
    lines = [
        line("7b8b3fc6"),
        line("76dff5b6", "ResponseStarted"),
        line("9fb4d479"),
        line("b650a764"),
    ]
    other = {
        "event_id": "cat1d2e3f4g5h6i7j8m0",
        "event_source": "iam",
        "event_type": "yandex.cloud.audit.iam.CreateServiceAccount",
        "event_time": "2026-11-22T10:14:31Z",
        "authentication": {"authenticated": True, "subject_type": "FEDERATED_USER_ACCOUNT"},
        "details": {"service_account_id": "aje0s1a2"},
        "event_status": "DONE",
    }
    management = other | {
        "event_source": "k8s",
        "event_type": "yandex.cloud.audit.k8s.UpdateCluster",
        "details": {"cluster_id": YANDEX_CLUSTER, "cluster_name": "shop"},
    }

    def columns(count, cluster=YANDEX_CLUSTER):
        nothing = {
            "account": [None] * count,
            "log_stream": [None] * count,
            "format": ["yandex"] * count,
        }
        return {"cluster": [cluster] * count} | nothing

    # An object of a bucket: an array, keys of the envelope in snake_case.
    files = [trail(text, number, snake=True) for number, text in enumerate(lines)]
    content = [files[0], other, files[1], management, files[2], files[3]]
    write_case(
        "yandex/bucket-array-snake-case",
        "input.json",
        dumps(content),
        lines,
        columns(4),
        skipped={NOT_AN_EVENT: 2},
    )
    write_case(
        "yandex/array-pretty", "input.json", pretty(files[1:3]) + "\n", lines[1:3], columns(2)
    )
    camel = [trail(text, number) for number, text in enumerate(lines)]
    write_case("yandex/lines-camel-case", "input.json", ndjson(camel), lines, columns(4))

    # The code: a string of digits is a number, anything else stays; none is none.
    codes = [trail(lines[2], number) for number in range(4)]
    expected = [loads(lines[2]) for _ in codes]
    codes[1]["details"]["nativeApiServerEvent"]["responseStatus"]["code"] = Number(200)
    codes[2]["details"]["nativeApiServerEvent"]["responseStatus"]["code"] = "OK"
    expected[2]["responseStatus"]["code"] = "OK"
    for value in (codes[3]["details"]["nativeApiServerEvent"], expected[3]):
        del value["responseStatus"]
    write_case(
        "yandex/codes",
        "input.json",
        ndjson(codes),
        expected,
        columns(4) | {"response_code": [Number(200), Number(200), None, None]},
    )

    # No cluster id, and an event that has nothing of the apiserver in it.
    bare = trail(lines[0], 1)
    del bare["details"]["clusterId"]
    hollow = trail(lines[0], 2)
    del hollow["details"]["nativeApiServerEvent"]
    write_case(
        "yandex/without-cluster",
        "input.json",
        ndjson([bare, hollow]),
        lines[:1],
        columns(1, None),
        skipped={NOT_AN_EVENT: 1},
    )


if __name__ == "__main__":
    yandex_cases()
