#!/usr/bin/env python3
"""Write the cases of `tests/data/formats/` whose envelopes carry v1 events as they are.

    python3 cases_delivered.py [OUT]

OUT is by default `../../data/formats` beside this script. Formats: cri, docker, node-logs, syslog,
cloudwatch, cloudwatch-export, cloudwatch-events, cloudwatch-insights, loki, splunk-hec, ecs, otlp,
viaq, sls, ovh, shipper; and, over these, events that EKS cut. A case is a folder with

    input.*          the bytes as delivered
    expected.jsonl   its events, in the order of the input
    account.json     rejects and skipped, unless there are none
    columns.json     columns of the table `events` that the envelope decides, one value an event

What counts as one record of the account: a log line, a log event, a row, a list that is empty. Text that
is no JSON object, well delivered inside an envelope, is skipped ("not an audit event": the apiserver's
own log stands beside its audit log); text that begins as one and is broken is rejected.

Whole logs are wrapped by `wrap.py`, with the same envelopes (`envelopes.py`).
"""

import sys

sys.dont_write_bytecode = True
import cases_cloudwatch
import cases_lines
import cases_shippers
import cases_stores
import cases_truncated

if __name__ == "__main__":
    for module in (cases_lines, cases_cloudwatch, cases_stores, cases_shippers, cases_truncated):
        module.main()
