"""The envelopes in which providers and shippers deliver audit events, written the way they write them.

Used by `wrap.py` (whole logs) and `cases_delivered.py` (the small cases under `tests/data/formats/`). One
function an envelope; what goes in is an `Event`, what comes out is text or bytes. Nothing here reads an
envelope, and nothing is shared with the engine.

An event is carried as text: nothing inside it is parsed and written again, so numbers, escapes and
duplicate keys come through as they are. Where an envelope has to take the event apart (SLS, AKSAudit,
ViaQ, OTLP's kvlist, Yandex), only as deep as it must.

All names, accounts, addresses and times of the envelopes are made up; times follow the event's own.
"""

import sys

sys.dont_write_bytecode = True
from envelope_event import *
from envelopes_azure import *
from envelopes_cloudwatch import *
from envelopes_host import *
from envelopes_stores import *
