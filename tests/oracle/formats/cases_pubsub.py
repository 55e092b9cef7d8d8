#!/usr/bin/env python3
"""Write `tests/data/formats/pubsub/`: log entries as Pub/Sub delivers them.

    python3 cases_pubsub.py

Entries and expectations are made as in `cases_gke.py`.
"""

import sys

sys.dont_write_bytecode = True
from case import INVALID, NOT_AN_EVENT, event, line, ndjson, pretty, write_case
from cases_gke import gke_case
from exact_json import dumps
from log_entry import *


def pubsub_cases():
    values = [entry(event(name)) for name in ("4633f549", "c0a60e14", "264ef773")]
    odd = small(
        request={"@type": "k8s.io/Patch", "data": {"text": 'caf\u00e9 "q" \U0001f600 \\ / <b>'}}
    )
    gke_case("pubsub/push", "input.json", dumps(push(values[0])), values[:1])
    gke_case("pubsub/push-pretty", "input.json", pretty(push(odd)) + "\n", [odd])
    lines = [push(value, number) for number, value in enumerate(values)]
    gke_case("pubsub/push-lines", "input.json", ndjson(lines), values)

    # `gcloud pubsub subscriptions pull --format=json`
    pulled = [
        {"ackId": f"QV5AEkw4B0RJ{n}", "message": message(value, n)}
        for n, value in enumerate(values)
    ]
    gke_case("pubsub/pull-gcloud", "input.json", pretty(pulled) + "\n", values)
    # projects.subscriptions.pull
    rest = {"receivedMessages": pulled}
    gke_case("pubsub/pull-rest", "input.json", dumps(rest) + "\n", values)
    gke_case(
        "pubsub/pull-nothing",
        "input.json",
        dumps({"receivedMessages": []}) + "\n{}\n",
        [],
        skipped={NOT_AN_EVENT: 2},
    )

    # The topic has other services' entries, and messages without data.
    empty = push("", 7)
    del empty["message"]["data"]
    mixed = [
        push(values[0], 0),
        push(CONTAINER_API, 1),
        push(CONTAINER_STDOUT, 2),
        empty,
        push(values[2], 3),
    ]
    gke_case(
        "pubsub/other-messages",
        "input.json",
        ndjson(mixed),
        [values[0], CONTAINER_API, CONTAINER_STDOUT, values[2]],
        skipped={NOT_AN_EVENT: 1},
    )

    # At least once: what was delivered twice is there twice; leaving it out is --dedup's.
    again = [push(values[0], 0), push(values[1], 1), push(values[0], 0)]
    gke_case("pubsub/redelivered", "input.json", ndjson(again), [values[0], values[1], values[0]])

    broken = [push(values[0], 0), push(values[1], 1), push(values[2], 2), push(values[1], 3)]
    broken[1]["message"]["data"] = "*** this is no base64 ***"
    broken[2] = push(dumps(values[2])[:300], 2)
    gke_case(
        "pubsub/broken-data",
        "input.json",
        ndjson(broken),
        [values[0], values[1]],
        rejects={INVALID: 2},
    )

    # A collector may publish the apiserver's own events: then it is Pub/Sub that wraps them.
    plain = [line("4633f549"), line("76dff5b6", "ResponseStarted")]
    content = ndjson(push(text, number) for number, text in enumerate(plain))
    nothing = {name: [None, None] for name in ("cluster", "account", "log_stream")}
    write_case(
        "pubsub/plain-events", "input.json", content, plain, nothing | {"format": ["pubsub"] * 2}
    )


if __name__ == "__main__":
    pubsub_cases()
