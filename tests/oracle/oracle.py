#!/usr/bin/env python3
"""What the table `events` and the views must hold, worked out a second time.

    python3 oracle.py FILE...                 one JSON object per event, keys sorted
    python3 oracle.py --view NAME FILE...     one JSON object per row of a view

This program shares no code with the engine. It exists so that tests can compare the two: where they
differ, one of them is wrong. It favours plainness over speed and reads only what kube-apiserver
itself writes: JSON lines of `audit.k8s.io/v1` events (the log backend) and `EventList` bodies (the
webhook backend), plain or gzip. Several files are read as one log, in the order given.

Of an event it prints every column of `events` except those that say where the record lay (`cluster`, `account`,
`log_stream`, `format`, `source_file`, `source_line`, `source_offset`, `event_bytes`); `compare.py`
checks these. Times are text with six digits and `Z`, further digits are cut off; lists and maps are
JSON; bodies and `response_details` are the exact text of the source, found by walking the event
without parsing what is inside them. A value of the wrong type is null, as is a JSON null; an entry of
a map whose value has the wrong type is left out. Of duplicate keys the last counts. `unknown_fields`
is right as a JSON value, not as text.

Of a view it prints what identifies a row (`audit_id`, `request_received_timestamp`, `stage`) and the
view's own columns. What a view means is written at the function of its name below, and for users in
`schemas/views/`.

Rules that are Kubernetes' or Go's rather than ours, and where they come from:
  - the query of a URI: `net/url.ParseQuery` (a pair with `;` or a broken escape is dropped, `+` is a
    space); booleans in it: `runtime.Convert_Slice_string_To_bool`
  - the RBAC reason: `pkg/registry/rbac/validation/rule.go`; names are quoted with `%q`, and both a
    RoleBinding and a ServiceAccount are written name first: "name/namespace"
  - the Node authorizer's refusals: `plugin/pkg/auth/authorizer/node/node_authorizer.go`; reasons of
    several authorizers are joined by a newline (`authorization/union`)

Lines that are no JSON object are counted on stderr and make the exit status 1.
"""

import argparse
import datetime
import fnmatch
import gzip
import json
import re
import sys

# ---------------------------------------------------------------- JSON, keeping the text

WHITE = re.compile(r"[ \t\r\n]*")
STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.S)
BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]', re.S)
SCALAR = re.compile(r"[^ \t\r\n,}\]]+")


class Malformed(Exception):
    """The text is not a JSON value where one was expected."""


def skip_white(text, at):
    return WHITE.match(text, at).end()


def value_end(text, at):
    """End of the JSON value that begins at `at`; the inside of objects and arrays is only balanced."""
    first = text[at : at + 1]
    if first == '"':
        found = STRING.match(text, at)
        if not found:
            raise Malformed("open string")
        return found.end()
    if first and first in "{[":
        open_brackets = []
        for found in BRACKET.finditer(text, at):
            token = found.group()
            if token in "{[":
                open_brackets.append(token)
            elif token in "}]":
                if open_brackets.pop() + token not in ("{}", "[]"):
                    raise Malformed("brackets cross")
                if not open_brackets:
                    return found.end()
        raise Malformed("open bracket")
    found = SCALAR.match(text, at)
    if not found:
        raise Malformed("no value")
    return found.end()


def members(raw):
    """The members of a JSON object: decoded key -> text of the value, the last of duplicates.

    None when the value is not an object.
    """
    all_members = pairs(raw)
    return None if all_members is None else dict(all_members)


def pairs(raw):
    """The members of a JSON object in order, duplicates too; None when the value is not an object."""
    if raw is None or not raw.startswith("{"):
        return None
    result = []
    at = skip_white(raw, 1)
    while raw[at : at + 1] != "}":
        end = value_end(raw, at)
        key = string(raw[at:end])
        if key is None:
            raise Malformed("a key is not a string")
        at = skip_white(raw, end)
        if raw[at : at + 1] != ":":
            raise Malformed("no colon")
        at = skip_white(raw, at + 1)
        end = value_end(raw, at)
        result.append((key, raw[at:end]))
        at = skip_white(raw, end)
        if raw[at : at + 1] == ",":
            at = skip_white(raw, at + 1)
        elif raw[at : at + 1] != "}":
            raise Malformed("no comma")
    return result


def elements(raw):
    """The elements of a JSON array as texts; None when the value is not an array."""
    if raw is None or not raw.startswith("["):
        return None
    result = []
    at = skip_white(raw, 1)
    while raw[at : at + 1] != "]":
        end = value_end(raw, at)
        result.append(raw[at:end])
        at = skip_white(raw, end)
        if raw[at : at + 1] == ",":
            at = skip_white(raw, at + 1)
        elif raw[at : at + 1] != "]":
            raise Malformed("no comma")
    return result


def at_path(raw, *keys):
    """Text of the value at a path of object keys, or None."""
    for key in keys:
        raw = (members(raw) or {}).get(key)
    return None if raw == "null" else raw


def string(raw):
    """The string that a JSON text holds; None for anything else. Half surrogates become U+FFFD."""
    if raw is None or not raw.startswith('"'):
        return None
    try:
        text = json.loads(raw, strict=False)
    except ValueError as error:
        raise Malformed(str(error)) from error
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)


def is_exact(raw):
    """A string without half surrogates."""
    return raw.startswith('"') and not any("\ud800" <= char <= "\udfff" for char in json.loads(raw))


def boolean(raw):
    return {"true": True, "false": False}.get(raw)


def integer(raw, bits):
    if raw is None or not re.fullmatch(r"-?(0|[1-9][0-9]{0,19})", raw):
        return None
    number = int(raw)
    return number if -(2 ** (bits - 1)) <= number < 2 ** (bits - 1) else None


def strings(raw):
    """A list of strings; None when any element is something else."""
    items = elements(raw)
    if items is None:
        return None
    items = [string(item) for item in items]
    return None if None in items else items


def map_of(raw, value):
    """A map of the members whose values `value` understands."""
    entries = members(raw)
    if entries is None:
        return None
    entries = {key: value(text) for key, text in entries.items()}
    return {key: read for key, read in entries.items() if read is not None}


# ---------------------------------------------------------------- files -> events


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return data.decode("utf-8")


def values(text):
    """The top-level JSON objects of a file: its lines, or one object that spans lines."""
    lines = [line for line in text.split("\n") if line.strip()]
    if lines and value_ends_at(lines[0]) is None and value_ends_at(text) is not None:
        lines = [text]
    for line in lines:
        end = value_ends_at(line)
        yield line.strip() if end is not None else None


def value_ends_at(text):
    """End of the object that is all of `text`, or None."""
    start = skip_white(text, 0)
    try:
        end = value_end(text, start)
    except Malformed:
        return None
    return end if text[start] == "{" and skip_white(text, end) == len(text) else None


def events(paths, broken):
    """Every event of the files as (its text, apiVersion of the list around it)."""
    for path in paths:
        for number, raw in enumerate(values(read(path)), 1):
            try:
                if raw is None:
                    raise Malformed("not one JSON object")
                fields = members(raw)
                if string(fields.get("kind")) != "EventList" or elements(fields.get("items")) is None:
                    yield raw, None
                    continue
                for item in elements(fields["items"]):
                    yield item, string(fields.get("apiVersion"))
            except Malformed as error:
                broken.append(f"{path}: record {number}: {error}")


# ---------------------------------------------------------------- rules of Go and Kubernetes


def unescape(text):
    """`url.QueryUnescape`; None for a broken escape."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        return None
    data = re.sub(
        rb"%([0-9A-Fa-f]{2})",
        lambda found: bytes([int(found[1], 16)]),
        text.replace("+", " ").encode("utf-8"),
    )
    return data.decode("utf-8", "replace")


def query_params(uri, name):
    """All values of a query parameter, decoded, as `url.ParseQuery` has them."""
    result = []
    for pair in (uri or "").partition("?")[2].split("&"):
        if not pair or ";" in pair:
            continue
        key, _, value = pair.partition("=")
        key, value = unescape(key), unescape(value)
        if key == name and value is not None:
            result.append(value)
    return result


def query_boolean(uri, name):
    """A boolean option in a query: false when absent, `0` or `false`; anything else is true."""
    given = query_params(uri, name)
    return bool(given) and given[0] != "0" and given[0].lower() != "false"


GO_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\\"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))"
)
GO_LETTER = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34}


def go_unquote(quoted):
    """`strconv.Unquote` of a double-quoted string, the inverse of `%q`; None when it is not one."""
    inside, result, at = quoted[1:-1], bytearray(), 0
    while at < len(inside):
        if inside[at] != "\\":
            if inside[at] in '"\n':
                return None
            result += inside[at].encode("utf-8")
            at += 1
            continue
        found = GO_ESCAPE.match(inside, at)
        if not found:
            return None
        letter, byte, octal, short, long = found.groups()
        if letter:
            result.append(GO_LETTER[letter])
        elif byte or octal:
            number = int(byte, 16) if byte else int(octal, 8)
            if number > 255:
                return None
            result.append(number)
        else:
            number = int(short or long, 16)
            if number > 0x10FFFF or 0xD800 <= number < 0xE000:
                return None
            result += chr(number).encode("utf-8")
        at = found.end()
    return result.decode("utf-8", "replace")


QUOTED = r'("[^"\\]*(?:\\.[^"\\]*)*")'
# EKS says of an access policy what RBAC says of a binding.
ALLOWED = re.compile(
    rf"(?:RBAC|EKS Access Policy): allowed by (ClusterRoleBinding|RoleBinding) {QUOTED}"
    rf" of (ClusterRole|Role) {QUOTED} to (User|Group|ServiceAccount) {QUOTED}",
    re.S,
)
RBAC_COLUMNS = (
    "binding_kind binding_namespace binding_name role_kind role_name "
    "subject_kind subject_namespace subject_name"
).split()

# Every text with which the Node authorizer refuses.
NODE_REFUSALS = [
    re.compile(pattern)
    for pattern in (
        r'unknown node for user ".*"',
        r"can only get/update/patch this type",
        r"can only update status subresource",
        r"can only get individual resources of this type",
        r"cannot get subresource",
        r"can only read resources of this type",
        r"cannot read subresource",
        r"can only read namespaced object of this type",
        r"No Object name found",
        r"no relationship found between node '.*' and this object",
        r"can only create tokens for individual service accounts",
        r"can only create token subresource of serviceaccount",
        r"can only get, create, update, patch, or delete a node lease",
        r'can only access leases in the ".*" system namespace',
        r"can only access node lease with the same name as the requesting node",
        r"can only get, create, update, patch, or delete a CSINode",
        r"cannot authorize CSINode subresources",
        r"can only access CSINode with the same name as the requesting node",
        r"cannot authorize ResourceSlice subresources",
        r"can only list/watch/deletecollection resourceslices with nodeName field selector",
        r"only the following verbs are allowed for a ResourceSlice: .*",
        r"node '.*' cannot read all nodes, only its own Node object",
        r"node '.*' cannot read '.*', only its own Node object",
        r"can only list/watch pods with spec\.nodeName field selector",
    )
]


def authorizer(reason):
    """The authorizer that can be recognised in the reason.

    RBAC also says why it could not decide: `RBAC: clusterrole.rbac.authorization.k8s.io "x" not found`.
    """
    if reason is None:
        return None
    if reason.startswith("RBAC: "):
        return "rbac"
    if reason.startswith("EKS Access Policy: "):
        return "eks-access-policy"
    if reason.startswith("access granted by IAM permissions"):
        return "gke-iam"
    if any(pattern.fullmatch(line) for line in reason.split("\n") for pattern in NODE_REFUSALS):
        return "node"
    return None


def rbac(reason):
    """The reason that names a binding taken apart; all None when it does not."""
    columns = dict.fromkeys(RBAC_COLUMNS)
    found = ALLOWED.fullmatch(reason or "")
    if not found:
        return columns
    binding, role, subject = (go_unquote(found[group]) for group in (2, 4, 6))
    if None in (binding, role, subject):
        return columns
    columns.update(binding_kind=found[1], binding_name=binding, role_kind=found[3], role_name=role)
    columns.update(subject_kind=found[5], subject_name=subject)
    if found[1] == "RoleBinding" and "/" in binding:
        columns["binding_name"], _, columns["binding_namespace"] = binding.rpartition("/")
    if found[5] == "ServiceAccount" and "/" in subject:
        columns["subject_name"], _, columns["subject_namespace"] = subject.rpartition("/")
    return columns


CLOUD = (
    "eks:*",
    "aksService",
    "masterclient",
    "nodeclient",
    "hcpService",
    "acsService",
    "readinessChecker",
    "*@container-engine-robot.iam.gserviceaccount.com",
    "arn:aws:iam::*:role/aws-service-role/*",
)


def actor_kind(actor):
    if actor is None:
        return None
    if actor == "system:anonymous":
        return "anonymous"
    if actor.startswith("system:node:"):
        return "node"
    if actor.startswith("system:serviceaccount:"):
        return "serviceaccount"
    if actor.startswith("system:"):
        return "control-plane"
    if any(fnmatch.fnmatchcase(actor, pattern) for pattern in CLOUD):
        return "cloud"
    return "human"


def service_account(actor):
    """(namespace, name) of `system:serviceaccount:NAMESPACE:NAME`, else (None, None)."""
    found = re.fullmatch(r"system:serviceaccount:([^:]+):([^:]+)", actor or "")
    return found.groups() if found else (None, None)


# RFC 3339, and what exports make of it: a space for the T, then no zone or ` UTC`.
RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt]|( ))(\d\d):(\d\d):(\d\d)(?:\.(\d+))?"
    r"(?:[Zz]| UTC|([+-])(\d\d):(\d\d)|(?(4)))",
    re.ASCII,
)
MICROSECOND = datetime.timedelta(microseconds=1)
EPOCH = datetime.datetime(1970, 1, 1)
# The calendar repeats after 400 years: a way to the year 0, which Python does not have.
FOUR_CENTURIES = datetime.timedelta(days=146_097) // MICROSECOND


def timestamp(raw):
    """A time as microseconds since 1970, digits past the microsecond cut off."""
    found = RFC3339.fullmatch(string(raw) or "")
    if not found:
        return None
    year, month, day, _, hour, minute, second, digits, sign, hours, minutes = found.groups()
    later = int(year) < 5000
    try:
        time = datetime.datetime(
            int(year) + (400 if later else -400), int(month), int(day), int(hour), int(minute), int(second)
        )
    except ValueError:
        return None
    micros = (time - EPOCH) // MICROSECOND + (-FOUR_CENTURIES if later else FOUR_CENTURIES)
    micros += int(((digits or "") + "000000")[:6])
    if sign:
        if int(hours) > 23 or int(minutes) > 59:
            return None
        offset = datetime.timedelta(hours=int(hours), minutes=int(minutes)) // MICROSECOND
        micros += -offset if sign == "+" else offset
    # A year that has no four digits in UTC cannot be written, and few readers of Parquet and Delta know the year 0.
    return micros if timestamp_text(micros) is not None else None


def timestamp_text(micros):
    if micros is None:
        return None
    later = micros < 0
    try:
        time = EPOCH + (micros + (FOUR_CENTURIES if later else -FOUR_CENTURIES)) * MICROSECOND
    except OverflowError:
        return None
    year = time.year + (-400 if later else 400)
    return f"{year:04}-{time:%m-%dT%H:%M:%S.%f}Z" if 1 <= year <= 9999 else None


# ---------------------------------------------------------------- one event -> its columns


def first(values_):
    return values_[0] if values_ else None


def columns_of(text, list_api_version=None):
    """The columns of one event, given its text."""
    fields = members(text)
    known = {key: raw for key, raw in fields.items() if raw != "null"}

    def part(name):
        return {k: v for k, v in (members(known.get(name)) or {}).items() if v != "null"}

    user, as_user = part("user"), part("impersonatedUser")
    target, result = part("objectRef"), part("responseStatus")
    row = {
        "audit_id": string(known.get("auditID")),
        "level": string(known.get("level")),
        "stage": string(known.get("stage")),
        "verb": string(known.get("verb")),
        "request_uri": string(known.get("requestURI")),
        "user_agent": string(known.get("userAgent")),
        "source_ips": strings(known.get("sourceIPs")),
        "event_api_version": string(known.get("apiVersion"))
        if "apiVersion" in fields
        else list_api_version,
        "username": string(user.get("username")),
        "user_uid": string(user.get("uid")),
        "user_groups": strings(user.get("groups")),
        "user_extra": map_of(user.get("extra"), strings),
        "impersonated_username": string(as_user.get("username")),
        "impersonated_uid": string(as_user.get("uid")),
        "impersonated_groups": strings(as_user.get("groups")),
        "impersonated_extra": map_of(as_user.get("extra"), strings),
        "impersonation_constraint": string(
            part("authenticationMetadata").get("impersonationConstraint")
        ),
        "api_group": string(target.get("apiGroup")),
        "api_version": string(target.get("apiVersion")),
        "resource": string(target.get("resource")),
        "subresource": string(target.get("subresource")),
        "namespace": string(target.get("namespace")),
        "name": string(target.get("name")),
        "object_uid": string(target.get("uid")),
        "resource_version": string(target.get("resourceVersion")),
        # Minus nought is a number, and no integer comes back as it.
        "response_code": None if result.get("code") == "-0" else integer(result.get("code"), 32),
        "response_status": string(result.get("status")),
        "response_reason": string(result.get("reason")),
        "response_message": string(result.get("message")),
        "response_details": result.get("details"),
        "annotations": map_of(known.get("annotations"), string),
        "request_object": known.get("requestObject"),
        "response_object": known.get("responseObject"),
    }

    dry_run = query_params(row["request_uri"], "dryRun")
    row["dry_run"] = ",".join(dry_run) if dry_run else None

    received = timestamp(known.get("requestReceivedTimestamp"))
    # Before `stageTimestamp` there was `timestamp`, in v1alpha1 and early v1beta1.
    staged = timestamp(fields.get("stageTimestamp", fields.get("timestamp")))
    row["request_received_timestamp"], row["stage_timestamp"] = map(timestamp_text, (received, staged))
    row["date"] = None if staged is None else row["stage_timestamp"][:10]
    row["latency_ms"] = None
    if received is not None and staged is not None:
        row["latency_ms"] = (staged - received) / 1000

    impersonated = row["impersonated_username"] is not None
    row["actor"] = row["impersonated_username"] if impersonated else row["username"]
    row["actor_groups"] = row["impersonated_groups"] if impersonated else row["user_groups"]
    row["actor_kind"] = actor_kind(row["actor"])
    row["service_account_namespace"], row["service_account_name"] = service_account(row["actor"])
    extra = row["user_extra"] or {}
    for name in ("pod-name", "node-name", "credential-id"):
        row[name.replace("-", "_")] = first(extra.get(f"authentication.kubernetes.io/{name}"))

    addresses = row["source_ips"] or [None]
    row["client_ip"], row["peer_ip"] = addresses[0], addresses[-1]

    notes = row["annotations"] or {}
    row["authz_decision"] = notes.get("authorization.k8s.io/decision")
    row["authz_reason"] = notes.get("authorization.k8s.io/reason")
    row["authorizer"] = authorizer(row["authz_reason"])
    row.update(rbac(row["authz_reason"]))
    row["truncated"] = notes.get("audit.k8s.io/truncated") == "true"
    row["unknown_fields"] = unknown_fields(text, row, list_api_version)
    return row


CANONICAL_TIME = re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"', re.ASCII)


def unknown_fields(text, row, list_api_version):
    """What the other columns cannot hold, as JSON text; None when they hold everything.

    It mirrors the event: what no column knows, what has a type that no column takes, nulls, times in
    another spelling than the apiserver's, objects of which no column shows anything. `duplicates` has
    what a later member replaces, as `{"path": [...], "value": ...}`; `absent` the members that the
    columns imply and that are not there. A member of the event that is called `duplicates`, `absent`
    or `envelope`, or begins with `~`, has a `~` in front.
    """
    duplicates, absent = [], []

    def last(raw, path):
        result = {}
        for key, value in pairs(raw):
            if key in result:
                duplicates.append((path + [key], result[key]))
            result[key] = value
        return result

    def is_text(raw):
        return is_exact(raw)

    def is_texts(raw):
        return raw.startswith("[") and all(is_exact(item) for item in elements(raw))

    def is_time(raw):
        return timestamp(raw) is not None and bool(CANONICAL_TIME.fullmatch(raw))

    def is_json(raw):
        return raw != "null"

    def is_code(raw):
        return row["response_code"] is not None

    def is_metadata(raw):
        response = ("code", "status", "reason", "message", "details")
        return raw == "{}" and any(row[f"response_{name}"] is not None for name in response)

    def is_kind(raw):
        return row["event_api_version"] is not None and raw == '"Event"'

    def no(_):
        return False

    def object_of(path, fits, entries=no):
        """What is left of an object: the members that `fits` does not take, or by its name `entries`."""

        def left(raw):
            kept, shown = {}, False
            for key, value in last(raw, path).items():
                if value.startswith("{") and isinstance(fits.get(key), tuple):
                    inner, is_map = object_of(path + [key], *fits[key])(value)
                    shown = shown or is_map
                    if inner is not None:
                        kept[key] = inner
                elif isinstance(fits.get(key), tuple) or not fits.get(key, entries)(value):
                    kept[key] = value
                else:
                    shown = True
            # Maps are columns of their own, an empty one too; of other objects something must be shown.
            shown = shown or entries is not no
            return (kept if kept or not shown else None), shown

        return left

    user = {"username": is_text, "uid": is_text, "groups": is_texts, "extra": ({}, is_texts)}
    target = "resource namespace name uid apiGroup apiVersion resourceVersion subresource".split()
    texts_ = "apiVersion level auditID stage requestURI verb userAgent".split()
    shape = {
        **dict.fromkeys(texts_, is_text),
        "kind": is_kind,
        "sourceIPs": is_texts,
        "requestReceivedTimestamp": is_time,
        "stageTimestamp": is_time,
        "requestObject": is_json,
        "responseObject": is_json,
        "annotations": ({}, is_text),
        "user": (user,),
        "impersonatedUser": (user,),
        "authenticationMetadata": ({"impersonationConstraint": is_text},),
        "objectRef": (dict.fromkeys(target, is_text),),
        "responseStatus": (
            {
                **dict.fromkeys(("status", "reason", "message"), is_text),
                "code": is_code,
                "details": is_json,
                "metadata": is_metadata,
            },
        ),
    }
    left, _ = object_of([], shape)(text)
    left = {
        f"~{key}" if key in ("duplicates", "absent", "envelope") or key.startswith("~") else key: value
        for key, value in (left or {}).items()
    }

    fields = members(text)
    if "kind" not in fields and "apiVersion" in fields and row["event_api_version"] is not None:
        absent.append('"kind"')
    if "timestamp" in fields and "stageTimestamp" not in fields and row["stage_timestamp"] is not None:
        absent.append('"stageTimestamp"')
    response = members(fields.get("responseStatus"))
    if response is not None and "metadata" not in response and is_metadata("{}"):
        absent.append('"responseStatus.metadata"')

    if duplicates:
        left["duplicates"] = "[%s]" % ",".join(
            '{"path":%s,"value":%s}' % (json.dumps(path), value) for path, value in duplicates
        )
    if absent:
        left["absent"] = "[%s]" % ",".join(absent)
    return write_json(left) if left else None


def write_json(value):
    """JSON text of an object whose leaves are JSON texts."""
    if isinstance(value, str):
        return value
    return "{%s}" % ",".join(f"{json.dumps(key)}:{write_json(item)}" for key, item in value.items())


# ---------------------------------------------------------------- views
#
# Each takes the rows of `events` and yields (row, own columns).


def is_final(row):
    return row["stage"] in ("ResponseComplete", "Panic") or (
        row["stage"] == "ResponseStarted" and row["username"] is None
    )


def requests(rows):
    """One row per request at its final stage.

    The final stage is ResponseComplete or Panic, and ResponseStarted where there is no user: failed
    authentication (401) and the 400 of a bad `?timeout=` are reported at that stage alone.
    """
    return ((row, {}) for row in rows if is_final(row))


STAGES = {"RequestReceived": 1, "ResponseStarted": 2}


def request_of(row):
    """What the stages of one request have in common; NULL is equal to NULL."""
    names = ("audit_id", "request_received_timestamp", "username", "request_uri")
    return tuple(row[name] for name in names)


def latest(rows):
    """Of every request the event at its latest stage.

    That is the final one, else ResponseStarted, else RequestReceived; then the last by `stage_timestamp`,
    then the last of the input. Duplicates of an event make no second row.
    """
    result = {}
    for row in rows:
        stage = 3 if is_final(row) else STAGES.get(row["stage"], 0)
        rank = (stage, row["stage_timestamp"] or "")
        if request_of(row) not in result or rank >= result[request_of(row)][0]:
            result[request_of(row)] = (rank, row)
    return [row for _, row in result.values()]


def unfinished_requests(rows):
    """Requests of which the input has events but no final one, each by the event at its latest stage.

    Where that event was delivered more than once there is a row for each of them.
    """
    rows = list(rows)
    last = {request_of(row): row["stage"] for row in latest(rows) if not is_final(row)}
    for row in rows:
        if request_of(row) in last and row["stage"] == last[request_of(row)]:
            yield row, {"last_stage": row["stage"]}


def exec_sessions(rows):
    """exec, attach and portforward on pods, by `create` (SPDY) or `get` (WebSocket).

    One row per session, by the event at its latest stage, sessions still open too. Refused and failed
    attempts are rows too (`response_code` tells them apart: 101 is a session as far as the log knows).
    `started_at` is `request_received_timestamp`, because ResponseStarted may be left out by the policy;
    `ended_at` is `stage_timestamp` of the final stage, NULL while open. `command` is NULL for attach and
    portforward; `container`, `stdin` and `tty` are NULL for portforward, which has no such options; the
    last two are else false when absent, as the apiserver reads them, and NULL without a URI.
    """
    sessions = (
        row
        for row in rows
        if is_core(row)
        and row["resource"] == "pods"
        and row["subresource"] in ("exec", "attach", "portforward")
        and row["verb"] in ("create", "get")
    )
    for row in latest(sessions):
        kind, uri = row["subresource"], row["request_uri"]
        command = query_params(uri, "command")
        streams = kind != "portforward" and uri is not None
        yield row, {
            "kind": kind,
            "command": " ".join(command) if kind == "exec" and command else None,
            "container": first(query_params(uri, "container")) if streams else None,
            "stdin": query_boolean(uri, "stdin") if streams else None,
            "tty": query_boolean(uri, "tty") if streams else None,
            "started_at": row["request_received_timestamp"],
            "ended_at": row["stage_timestamp"] if is_final(row) else None,
        }


def is_core(row):
    return row["api_group"] in (None, "")


def succeeded(row):
    return row["response_code"] is not None and 200 <= row["response_code"] < 300


def is_dry_run(row):
    """A dry run by the URI; of a delete with a body by that alone, of an eviction by either.

    A body is `DeleteOptions`, or an `Eviction` that holds them; it is there from level Request on.
    """
    body = row["request_object"]
    by_uri = "All" in (row["dry_run"] or "")

    def by(options):
        return "All" in (at_path(options, "dryRun") or "")

    if row["verb"] in ("delete", "deletecollection") and body is not None:
        return by(body)
    if row["subresource"] == "eviction":
        return by_uri or by(at_path(body, "deleteOptions"))
    return by_uri


def is_create(row):
    return row["verb"] == "create" or (
        row["verb"] in ("patch", "update") and row["response_code"] == 201
    )


def object_writes(rows):
    """Writes to a resource that were answered 2xx and were no dry run.

    `operation` is the verb, except that a patch or update answered 201 is a `create` (server-side
    apply, or an update that may create). Decided: writes are `create`, `update`, `patch`, `delete`
    and `deletecollection`; those on exec, attach, portforward and proxy only pass through the
    apiserver and are left out; subresources that change something (status, scale, binding, eviction,
    token, approval, ...) are in, with the verb as operation; reviews (`selfsubjectaccessreviews`,
    `tokenreviews`, ...) are in too, although nothing is stored: the log calls them creates.
    """
    for row, _ in requests(rows):
        if (
            row["verb"] in ("create", "update", "patch", "delete", "deletecollection")
            and row["resource"] is not None
            and row["subresource"] not in ("exec", "attach", "portforward", "proxy")
            and succeeded(row)
            and not is_dry_run(row)
        ):
            yield row, {"operation": "create" if is_create(row) else row["verb"]}


# resource -> (kind, API groups, path of the pod spec)
TEMPLATE = ("spec", "template", "spec")
WORKLOADS = {
    "pods": ("Pod", ("",), ("spec",)),
    "replicationcontrollers": ("ReplicationController", ("",), TEMPLATE),
    "podtemplates": ("PodTemplate", ("",), ("template", "spec")),
    "deployments": ("Deployment", ("apps", "extensions"), TEMPLATE),
    "daemonsets": ("DaemonSet", ("apps", "extensions"), TEMPLATE),
    "replicasets": ("ReplicaSet", ("apps", "extensions"), TEMPLATE),
    "statefulsets": ("StatefulSet", ("apps", "extensions"), TEMPLATE),
    "jobs": ("Job", ("batch",), TEMPLATE),
    "cronjobs": ("CronJob", ("batch",), ("spec", "jobTemplate", "spec", "template", "spec")),
}


def pod_specs(rows):
    """Every create, update or patch of a pod or of a workload with a pod template.

    Refused requests and dry runs are rows, and so are those whose bodies hold no pod spec (Metadata,
    a truncated event, a JSON patch): then `pod_spec` and `spec_source` are NULL. The spec is taken from
    `response_object` when that is a workload (it can be a `Status`), else from `request_object`: for a
    patch that is only the part which changes. Of the subresources only `ephemeralcontainers` and
    `resize` of pods (`status` would repeat the spec at every heartbeat). `created` is true for a create
    (or a patch or update answered 201) that succeeded and was no dry run, NULL without a code;
    `pod_spec` is the text of the source.
    """
    for row, _ in requests(rows):
        workload = WORKLOADS.get(row["resource"])
        if workload is None or row["verb"] not in ("create", "update", "patch"):
            continue
        _, groups, path = workload
        if (row["api_group"] or "") not in groups:
            continue
        if row["subresource"] and (row["resource"], row["subresource"]) not in (
            ("pods", "ephemeralcontainers"),
            ("pods", "resize"),
        ):
            continue
        spec = source = None
        bodies = [("request", row["request_object"])]
        if string(at_path(row["response_object"], "kind")) in {kind for kind, _, _ in WORKLOADS.values()}:
            bodies.insert(0, ("response", row["response_object"]))
        for name, body in bodies:
            found = at_path(body, *path)
            if spec is None and members(found) is not None:
                spec, source = found, name
        created = None
        if row["response_code"] is not None:
            created = is_create(row) and succeeded(row) and not is_dry_run(row)
        yield row, {"pod_spec": spec, "spec_source": source, "created": created}


def texts(raw):
    """The strings of a list; None when it is no list."""
    items = elements(raw)
    if items is None:
        return None
    return [text for text in map(string, items) if text is not None]


def objects(raw):
    """The objects of a list; None when it is no list."""
    items = elements(raw)
    return None if items is None else [item for item in items if members(item) is not None]


def containers(rows):
    """The containers, init containers and ephemeral containers of `pod_specs`, in this order.

    `run_as_user`, `run_as_non_root` and `seccomp_profile` are what holds for the container: its own
    securityContext, else the pod's. `seccomp_profile` is the profile's `type`. An element that is no
    object is no container. `command`, `args` and the capabilities are NULL when not given; `host_ports`
    and `env_secret_refs`, which are gathered, are then empty.
    """
    for row, own in pod_specs(rows):
        spec = own["pod_spec"]
        for field, container_kind in (
            ("containers", "container"),
            ("initContainers", "init"),
            ("ephemeralContainers", "ephemeral"),
        ):
            for container in objects(at_path(spec, field)) or []:

                def context(*keys, pod_too=False):
                    own_value = at_path(container, "securityContext", *keys)
                    if own_value is None and pod_too:
                        return at_path(spec, "securityContext", *keys)
                    return own_value

                ports = [
                    integer(at_path(port, "hostPort"), 64)
                    for port in elements(at_path(container, "ports")) or []
                ]
                secrets = [
                    string(at_path(item, *keys))
                    for field, keys in (
                        ("env", ("valueFrom", "secretKeyRef", "name")),
                        ("envFrom", ("secretRef", "name")),
                    )
                    for item in elements(at_path(container, field)) or []
                ]
                yield row, {
                    **own,
                    "container_kind": container_kind,
                    "container_name": string(at_path(container, "name")),
                    "image": string(at_path(container, "image")),
                    "command": texts(at_path(container, "command")),
                    "args": texts(at_path(container, "args")),
                    "privileged": boolean(context("privileged")),
                    "allow_privilege_escalation": boolean(context("allowPrivilegeEscalation")),
                    "run_as_user": integer(context("runAsUser", pod_too=True), 64),
                    "run_as_non_root": boolean(context("runAsNonRoot", pod_too=True)),
                    "capabilities_added": texts(context("capabilities", "add")),
                    "capabilities_dropped": texts(context("capabilities", "drop")),
                    "host_ports": [port for port in ports if port is not None],
                    "seccomp_profile": string(context("seccompProfile", "type", pod_too=True)),
                    "env_secret_refs": [name for name in secrets if name is not None],
                }


RBAC_KINDS = {
    "roles": "Role",
    "clusterroles": "ClusterRole",
    "rolebindings": "RoleBinding",
    "clusterrolebindings": "ClusterRoleBinding",
}


ROLE_REF = {"api_group": "apiGroup", "kind": "kind", "name": "name"}
SUBJECT = {"kind": "kind", "api_group": "apiGroup", "namespace": "namespace", "name": "name"}
RULE = {
    "api_groups": "apiGroups",
    "resources": "resources",
    "resource_names": "resourceNames",
    "non_resource_urls": "nonResourceURLs",
    "verbs": "verbs",
}


def struct(raw, fields, read):
    """The fields of an object, each as `read` has it."""
    return {name: read(at_path(raw, key)) for name, key in fields.items()}


def structs(raw, fields, read):
    found = objects(raw)
    return None if found is None else [struct(item, fields, read) for item in found]


def rbac_changes(rows):
    """The rows of `object_writes` on roles and bindings: successful, no dry runs.

    `object_kind` follows from the resource. `object_name` is `name`; where the request left it to
    `generateName`, `metadata.name` of the response. NULL for `deletecollection`. What was written is read
    from the response where it is a binding (or a role), else from the request.
    """
    for row, own in object_writes(rows):
        kind = RBAC_KINDS.get(row["resource"])
        if kind is None or row["api_group"] != "rbac.authorization.k8s.io":
            continue
        response = row["response_object"]
        name = row["name"] or string(at_path(response, "metadata", "name"))

        def body(*kinds):
            return response if string(at_path(response, "kind")) in kinds else row["request_object"]

        binding = body("RoleBinding", "ClusterRoleBinding")
        role_ref = at_path(binding, "roleRef")
        yield row, {
            "operation": own["operation"],
            "object_kind": kind,
            "object_name": name,
            "role_ref": None if members(role_ref) is None else struct(role_ref, ROLE_REF, string),
            "subjects": structs(at_path(binding, "subjects"), SUBJECT, string),
            "rules": structs(at_path(body("Role", "ClusterRole"), "rules"), RULE, texts),
        }


def secret_reads(rows):
    """get, list and watch of secrets of the core group, whatever the answer was.

    Only `requests`, so a watch that is still open is not there. `read_kind` says how much was asked for:
    one `object` by its name, those of a `namespace`, or of the whole `cluster`.
    """
    for row, _ in requests(rows):
        if (
            is_core(row)
            and row["resource"] == "secrets"
            and not row["subresource"]
            and row["verb"] in ("get", "list", "watch")
        ):
            kind = "object" if row["name"] else "namespace" if row["namespace"] else "cluster"
            yield row, {"read_kind": kind}


VIEWS = {
    view.__name__: view
    for view in (
        requests,
        unfinished_requests,
        exec_sessions,
        object_writes,
        secret_reads,
        rbac_changes,
        pod_specs,
        containers,
    )
}


def main():
    parser = argparse.ArgumentParser(description="The columns of audit events, worked out again.")
    parser.add_argument("--view", choices=sorted(VIEWS), help="print the rows of a view instead")
    parser.add_argument("files", nargs="+", metavar="FILE")
    options = parser.parse_args()

    broken = []
    rows = (columns_of(*event) for event in events(options.files, broken))
    if options.view:
        identity = ("audit_id", "request_received_timestamp", "stage")
        rows = (
            {**{name: row[name] for name in identity}, **own}
            for row, own in VIEWS[options.view](rows)
        )
    for row in rows:
        print(json.dumps(row, sort_keys=True))
    for message in broken:
        print(message, file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
