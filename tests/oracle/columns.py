"""The columns of one event."""

import json
import re

from apiserver_rules import (
    actor_kind,
    authorizer,
    is_proxy,
    query_params,
    rbac,
    service_account,
    structured_decision,
    timestamp,
    timestamp_text,
)
from json_text import at_path, elements, integer, is_exact, map_of, members, pairs, string, strings


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
    target_names = "resource namespace name uid apiGroup apiVersion resourceVersion subresource".split()
    has_target = any(string(target.get(name)) is not None for name in target_names)

    def elided(name):
        """The apiserver leaves out what is empty, so both are the same where there is an object."""
        text = string(target.get(name))
        return "" if text is None and has_target else text

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
        "api_group": elided("apiGroup"),
        "api_version": string(target.get("apiVersion")),
        "resource": string(target.get("resource")),
        "subresource": elided("subresource"),
        "namespace": elided("namespace"),
        "name": elided("name"),
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

    metadata = members((members(row["response_object"]) or {}).get("metadata")) or {}
    row["object_name"] = row["name"] or (string(metadata.get("name")) if has_target else None)

    row["dry_run"] = dry_run(row)

    received = timestamp(known.get("requestReceivedTimestamp"))
    # Before `stageTimestamp` there was `timestamp`, in v1alpha1 and early v1beta1.
    staged = timestamp(fields.get("stageTimestamp", fields.get("timestamp")))
    # A shipper that took the time out: that of the request is the next best, and says nothing of latency.
    is_taken_out = "stageTimestamp" not in fields and "timestamp" not in fields
    if is_taken_out:
        staged = received
    row["request_received_timestamp"], row["stage_timestamp"] = map(timestamp_text, (received, staged))
    row["date"] = None if staged is None else row["stage_timestamp"][:10]
    row["latency_ms"] = None
    if received is not None and staged is not None and not is_taken_out:
        row["latency_ms"] = (staged - received) / 1000

    impersonated = row["impersonated_username"] is not None
    row["actor"] = row["impersonated_username"] if impersonated else row["username"]
    passed_on = impersonated and (row["username"] is None or is_proxy(row["username"]))
    row["principal"] = row["impersonated_username"] if passed_on else row["username"]
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
    if (known.get("authorizationDecision") or "").startswith("{"):
        row.update(structured_decision(json.loads(known["authorizationDecision"]), row))
    row["truncated"] = notes.get("audit.k8s.io/truncated") == "true"
    row["unknown_fields"] = unknown_fields(text, row, list_api_version)
    return row


def dry_run(row):
    """`dryRun`: of a delete with a body what that says, else the query, the delete options of an eviction, GKE's label.

    A body is `DeleteOptions`, or an `Eviction` that holds them; it is there from level Request on.
    """

    def of(options):
        return [text for text in map(string, elements(at_path(options, "dryRun")) or []) if text is not None]

    body = row["request_object"]
    is_object = body is not None and body.startswith("{")
    if row["verb"] in ("delete", "deletecollection") and body is not None:
        return ",".join(of(body)) or None if is_object else None
    given = query_params(row["request_uri"], "dryRun")
    if not given and row["subresource"] == "eviction" and is_object:
        given = of(at_path(body, "deleteOptions"))
    if not given:
        return (row["annotations"] or {}).get("command.gke.io/dryRun")
    return ",".join(given)


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

    def is_said(raw):
        """Text of a member that is absent where it is empty."""
        return is_text(raw) and raw != '""'

    user = {"username": is_text, "uid": is_text, "groups": is_texts, "extra": ({}, is_texts)}
    target = {
        **dict.fromkeys("resource uid apiVersion resourceVersion".split(), is_text),
        **dict.fromkeys("namespace name apiGroup subresource".split(), is_said),
    }
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
        "objectRef": (target,),
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
    if "stageTimestamp" not in fields and row["stage_timestamp"] is not None:
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
