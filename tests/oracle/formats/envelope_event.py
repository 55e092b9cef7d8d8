"""An audit event as it is put into envelopes, JSON as they write it, and the names that stand in them."""

import datetime
import json
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import json_text

ACCOUNT = "111122223333"
CLUSTER = "shop-prod"
GROUP = f"/aws/eks/{CLUSTER}/cluster"
HEX = "5f0c2b9a4d3e8f7016a2b3c4d5e6f708"
AUDIT_STREAM = f"kube-apiserver-audit-{HEX}"
APISERVER = f"kube-apiserver-{HEX}"
EKS = {"cluster": CLUSTER, "account": ACCOUNT, "log_stream": AUDIT_STREAM}
SUBSCRIPTION = "0A1B2C3D-1111-2222-3333-44445555AAAA"
RESOURCE = (
    f"/SUBSCRIPTIONS/{SUBSCRIPTION}/RESOURCEGROUPS/SHOP-RG/PROVIDERS/MICROSOFT.CONTAINERSERVICE"
    "/MANAGEDCLUSTERS/SHOP-PROD"
)
POD = "kube-apiserver-6797f4455b-jdgtt"
CONTAINER = "c2120cb7d9e9402426ea2cbcc6d2a4cbe712af7bf35195b2d39f2e215b3a4e3c"
OPENSHIFT_ID = "d0f1c2b3-a495-4687-9e70-5a6b7c8d9e0f"
NODE = "master-0.shop.example.com"

# Lines of a kube-apiserver's own log: what stands beside its audit log in the same container. The
# second holds braces, and the third begins with one: neither is an event, and neither is broken.
KLOG = [
    "I1122 10:14:17.000413       1 controller.go:231] Updating CRD OpenAPI spec because widgets.lab.example.com changed",
    'E1122 10:14:17.218560       1 wrap.go:53] "Timeout or abort while handling" err=http2.StreamError{StreamID:0x3f, Code:0x2}',
    '{"ts":1795342457.3,"caller":"handlers/watch.go:299","msg":"unable to encode watch object","v":0}',
]


# ---------------------------------------------------------------- JSON


class Raw(str):
    """JSON text that is written as it is."""


GO = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def quoted(text, style=""):
    """A JSON string, as different writers quote it.

    "": only what must be escaped. "go": encoding/json, which escapes `<>&` too. "ascii": everything
    beyond ASCII as `\\uXXXX`, in surrogate pairs. "slash": `/` as `\\/` (Azure).
    """
    result = json.dumps(text, ensure_ascii=style == "ascii")
    if style == "go":
        result = "".join(GO.get(char, char) for char in result)
    return result.replace("/", "\\/") if style == "slash" else result


def dump(value, indent=None, style="", level=0):
    """JSON text of dicts, lists, scalars and `Raw` texts; pretty-printed when `indent` is given."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, str):
        return quoted(value, style)
    if not isinstance(value, (dict, list)):
        return json.dumps(value)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    if isinstance(value, dict):
        colon = ":" if indent is None else ": "
        parts = [quoted(key, style) + colon + dump(of, indent, style, level + 1) for key, of in value.items()]
    else:
        parts = [dump(of, indent, style, level + 1) for of in value]
    if indent is None or not parts:
        return opening + ",".join(parts) + closing
    line = "\n" + " " * indent * (level + 1)
    return opening + line + ("," + line).join(parts) + "\n" + " " * indent * level + closing


class Event:
    """One audit event: its text, and what envelopes repeat of it."""

    def __init__(self, text):
        self.text = text
        self.pairs = json_text.pairs(text)
        self.members = dict(self.pairs)
        self.micros = self._micros()

    def _micros(self):
        for name in ("stageTimestamp", "requestReceivedTimestamp", "timestamp"):
            found = re.match(
                r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\d*Z$", self.string(name) or ""
            )
            try:
                second = datetime.datetime.fromisoformat(found[1] + "+00:00") if found else None
            except ValueError:
                continue
            if second and 1970 < second.year < 9000:
                return int(second.timestamp()) * 1_000_000 + int((found[2] or "0").ljust(6, "0"))
        return 1_795_342_456_000_000

    def string(self, name):
        return json_text.string(self.members.get(name))

    def raw(self, name):
        found = self.members.get(name)
        return None if found is None else Raw(found)

    def without(self, *names):
        """The members but these, as a dict of texts. Duplicate keys do not survive: use `pairs` for them."""
        return {key: Raw(raw) for key, raw in self.pairs if key not in names}


def written(micros, digits=6, zone="Z", minutes=0, separator="T"):
    """RFC 3339 and its relatives; `minutes` is the zone's offset, `digits` those of the fraction."""
    moment = datetime.datetime.fromtimestamp(micros // 1_000_000 + minutes * 60, datetime.timezone.utc)
    fraction = f"{micros % 1_000_000:06d}" + "417"
    return (
        moment.strftime(f"%Y-%m-%d{separator}%H:%M:%S") + ("." + fraction[:digits] if digits else "") + zone
    )
