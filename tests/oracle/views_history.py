"""The views that follow something through the log: rows of `events` in, (row, own columns) out.

Times are compared as text, which has a fixed width; what is not known comes last.
"""

import base64
import binascii
import collections
import hashlib
import json

from apiserver_rules import timestamp
from json_text import at_path, integer, string
from views import is_dry_run, object_writes, requests, succeeded

NO_OBJECTS = ("Status", "Table", "PartialObjectMetadata")
TIMES = ("stage_timestamp", "request_received_timestamp", "audit_id")


def sort_key(names):
    return lambda row: [(row[name] is None, row[name] or "") for name in names]


def micros(text):
    return timestamp(json.dumps(text)) if text is not None else None


def kind(body):
    return string(at_path(body, "kind")) if body is not None and body.startswith("{") else None


def text_at(body, *path):
    value = at_path(body, *path) if body is not None and body.startswith("{") else None
    return string(value) if value is not None and value.startswith('"') else value


def number_at(body, *path):
    return integer(text_at(body, *path), 64)


def is_an_object(body):
    return kind(body) is not None and kind(body) not in NO_OBJECTS


def state_after(row, own):
    """(replicas, version, source, state) of a write."""
    request, response = row["request_object"], row["response_object"]
    if own["operation"] in ("delete", "deletecollection"):
        return None, None, None, None
    what = own["write_kind"]
    replicas = None
    if is_an_object(response):
        replicas = number_at(response, "spec", "replicas")
        if kind(response) == "Scale" and text_at(response, "spec", "replicas") is None:
            replicas = 0
    elif kind(request) == "Scale":
        replicas = 0 if text_at(request, "spec", "replicas") is None else number_at(request, "spec", "replicas")
    elif what in ("object", "scale"):
        replicas = number_at(request, "spec", "replicas")
    version = text_at(response, "metadata", "resourceVersion") if is_an_object(response) else None

    source = None
    if what == "scale":
        if kind(response) == "Scale":
            source = "response"
        elif kind(request) == "Scale" or number_at(request, "spec", "replicas") is not None:
            source = "request"
        state = scale(replicas) if source else None
        return replicas, version, source, state
    whole = what in ("object", "status", "approval") or (
        what == "subresource" and row["subresource"] in ("ephemeralcontainers", "resize", "finalize")
    )
    if whole and is_an_object(response) and kind(response) != "PartialObjectMetadataList":
        source = "response"
    elif whole and row["verb"] in ("create", "update") and row["subresource"] == "" and kind(request) is not None:
        source = "request"
    return replicas, version, source, {"response": response, "request": request}.get(source)


def scale(replicas):
    return None if replicas is None else '{"spec":{"replicas":%d}}' % replicas


def why_unknown(row, own, state):
    if own["operation"] == "delete" or state is not None:
        return None
    if own["operation"] == "deletecollection":
        return "collection"
    if row["truncated"]:
        return "truncated"
    if row["request_object"] is None and row["response_object"] is None:
        return "level"
    return "patch" if row["response_object"] is None and row["verb"] == "patch" else "answer"


def object_versions(rows):
    """The writes of each object in their order, each with the state before and after.

    The state before is the last one that a write shows, unless the object was deleted since, or the
    deleted object of the response. A scale shows and changes the replicas alone.
    """
    by_object = collections.defaultdict(list)
    for row, own in object_writes(rows):
        if own["write_kind"] in ("review", "token"):
            continue
        is_namespace = row["resource"] == "namespaces" and row["api_group"] == ""
        place = "" if is_namespace else row["namespace"]
        group = "" if own["write_kind"] == "eviction" else row["api_group"]
        key = (row.get("cluster"), group, row["resource"], place, row["object_name"])
        by_object[key].append((row, own))
    for writes in by_object.values():
        writes.sort(key=lambda write: sort_key(TIMES)(write[0]))
        last = last_replicas = None  # (state, version, number); the replicas
        for number, (row, own) in enumerate(writes, 1):
            replicas, version, source, state = state_after(row, own)
            before = before_source = unseen = None
            deleted = row["response_object"] if own["operation"] == "delete" and is_an_object(row["response_object"]) else None
            if own["write_kind"] == "object" and own["operation"] == "create":
                before_source = "nothing"
            elif row["object_name"] is None:
                pass
            elif own["write_kind"] == "scale":
                if last_replicas is not None:
                    before, before_source = scale(last_replicas), "last seen"
            elif deleted is not None:
                before, before_source = deleted, "answer"
            elif last is not None:
                before, unseen = last[0], number - 1 - last[2]
                based_on = row["resource_version"] if row["verb"] == "update" else None
                before_source = "exact" if based_on and based_on == last[1] else "last seen"
            yield row, {
                **own,
                "replicas": replicas,
                "version": version,
                "after_source": source,
                "after": state,
                "after_unknown": why_unknown(row, own, state),
                "write_number": number if row["object_name"] is not None else None,
                "before": before,
                "before_source": before_source,
                "unseen_writes": unseen,
            }
            if own["operation"] == "delete":
                last = last_replicas = None
            else:
                if state is not None and own["write_kind"] != "scale":
                    last = (state, version, number)
                if replicas is not None:
                    last_replicas = replicas


ISSUED = "authentication.kubernetes.io/issued-credential-id"


def certificate_id(text):
    """The hash of the first certificate of a PEM text in base64."""
    try:
        pem = base64.b64decode(text or "", validate=True).decode("utf-8")
        _, begin, rest = pem.partition("-----BEGIN CERTIFICATE-----")
        inside, end, _ = rest.partition("-----END CERTIFICATE-----")
        der = base64.b64decode("".join(inside.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    return "X509SHA256=" + hashlib.sha256(der).hexdigest() if begin and end and der else None


def credentials(rows):
    """What was issued (tokens by their annotation, certificates by their approval), and what was only used."""
    asked = [row for row, _ in requests(rows)]
    used = collections.defaultdict(list)
    for row in asked:
        if row["credential_id"] is not None:
            used[row.get("cluster"), row["credential_id"]].append(row)
    known = []
    by_request = collections.defaultdict(list)
    for row in asked:
        token = (row["annotations"] or {}).get(ISSUED)
        if token is not None:
            known.append((row, token, "token"))
        if (
            (row["api_group"], row["resource"]) == ("certificates.k8s.io", "certificatesigningrequests")
            and row["subresource"] in ("approval", "status")
            and row["verb"] in ("update", "patch")
            and succeeded(row)
            and not is_dry_run(row)
        ):
            body = row["response_object"] if row["response_object"] is not None else row["request_object"]
            refused = row["subresource"] == "approval" and '"Denied"' in (text_at(body, "status", "conditions") or "")
            if not refused:
                by_request[row.get("cluster"), row["object_name"]].append(row)
    for writes in by_request.values():
        writes.sort(key=sort_key(TIMES))
        ids = [certificate_id(text_at(row["response_object"], "status", "certificate")) for row in writes]
        for at, row in enumerate(writes):
            first = next((found for found in ids[at:] if found is not None), None)
            if row["subresource"] == "approval" or (ids[at] is not None and at == 0):
                known.append((row, first, "certificate"))
    issued = {(row.get("cluster"), credential) for row, credential, _ in known}
    rest = []
    for (cluster, credential), uses in used.items():
        if (cluster, credential) not in issued:
            order = ("request_received_timestamp", "stage_timestamp", "audit_id")
            what = {"JTI=": "token", "X509": "certificate"}.get(credential[:4], "other")
            rest.append((min(uses, key=sort_key(order)), credential, what))
    for row, credential, what in known + rest:
        uses = used.get((row.get("cluster"), credential), []) if credential is not None else []
        is_issued = (row, credential, what) in known

        def seen(name, found=uses):
            return [row[name] for row in found if row[name] is not None]

        user = min(seen("username"), default=None)
        if is_issued and what == "token" and row["resource"] == "serviceaccounts":
            user = f"system:serviceaccount:{row['namespace']}:{row['name']}"
        yield row, {
            "credential": credential,
            "credential_kind": what,
            "issued": is_issued,
            "credential_user": user,
            "uses": None if credential is None else len(uses),
            "first_used_at": min(seen("request_received_timestamp"), default=None),
            "last_used_at": max(seen("stage_timestamp"), default=None),
            "used_from": sorted(set(seen("client_ip"))) or None,
            "used_with": sorted(set(seen("user_agent"))) or None,
        }


PAUSE = 30 * 60 * 1_000_000


def sessions(rows):
    """Requests of one principal, address and program, cut where nothing was going on for more than 30 minutes."""
    by_client = collections.defaultdict(list)
    for row, _ in requests(rows):
        if row["principal"] is not None and row["request_received_timestamp"] is not None:
            by_client[row.get("cluster"), row["principal"], row["client_ip"], row["user_agent"]].append(row)
    for of_client in by_client.values():
        of_client.sort(key=sort_key(("request_received_timestamp", "stage_timestamp", "audit_id")))
        found, busy_until = [], None
        for row in of_client:
            idle = None
            if busy_until is not None:
                idle = micros(row["request_received_timestamp"]) - busy_until
            if idle is None or idle > PAUSE:
                found.append((idle, []))
            found[-1][1].append(row)
            if row["stage_timestamp"] is not None:
                busy_until = max(micros(row["stage_timestamp"]), busy_until or -(2**63))
        for number, (idle, of_session) in enumerate(found, 1):
            ends = [row["stage_timestamp"] for row in of_session if row["stage_timestamp"] is not None]
            writes = ("create", "update", "patch", "delete", "deletecollection")
            yield of_session[0], {
                "idle_ms": None if idle is None else idle / 1000,
                "session_number": number,
                "session_started_at": of_session[0]["request_received_timestamp"],
                "session_ended_at": max(ends, default=None),
                "session_requests": len(of_session),
                "session_writes": sum(
                    row["verb"] in writes and succeeded(row) and row["resource"] is not None and not is_dry_run(row)
                    for row in of_session
                ),
                "session_refusals": sum(row["response_code"] in (401, 403) for row in of_session),
            }


MINUTE = 60 * 1_000_000


def is_sign_of_a_start(row):
    """The apiserver reads its roles when it starts; OpenShift's marks what comes before it is ready."""
    startup = (row["annotations"] or {}).get("apiserver.k8s.io/startup") or ""
    return startup.startswith("early=true") or (
        (row["verb"], row["username"]) == ("get", "system:apiserver")
        and (row["resource"], row["name"]) == ("clusterroles", "cluster-admin")
    )


def log_gaps(rows):
    """Silences longer than a stream's rhythm explains, and starts of the apiserver."""
    streams = collections.defaultdict(list)
    for row in rows:
        if row["stage_timestamp"] is not None:
            streams[row.get("cluster"), row.get("log_stream")].append(row)
    for stream in streams.values():
        stream.sort(key=sort_key(TIMES))
        times = [micros(row["stage_timestamp"]) for row in stream]
        gaps = [None] + [later - earlier for earlier, later in zip(times, times[1:])]
        longest = sorted((gap for gap in gaps if gap is not None), reverse=True)
        usual = longest[5] if len(longest) > 5 else None
        for at, (row, time, gap) in enumerate(zip(stream, times, gaps)):
            sign = is_sign_of_a_start(row)
            earlier = [times[before] for before in range(at) if is_sign_of_a_start(stream[before])] if sign else []
            is_start = sign and not (earlier and earlier[-1] > time - MINUTE)
            gap_ms = None if gap is None else gap / 1000
            expected = None
            if gap is not None and len(stream) >= 100 and sum(longest) / 1000 - gap_ms != 0:
                expected = gap_ms * len(stream) / (sum(longest) / 1000 - gap_ms)
            is_silence = (
                gap is not None
                and gap >= MINUTE
                and usual is not None
                and gap_ms > 3 * (usual / 1000)
                and expected is not None
                and expected >= 10
            )
            if not (is_start or is_silence):
                continue
            follows = sign or any(
                is_sign_of_a_start(next_row) and next_time <= time + MINUTE
                for next_row, next_time in zip(stream[at + 1 :], times[at + 1 :])
            )
            yield row, {
                "gap_started_at": stream[at - 1]["stage_timestamp"] if at else None,
                "gap_ms": gap_ms,
                "is_start": is_start,
                "start_follows": follows,
                "usual_gap_ms": None if usual is None else usual / 1000,
                "expected_events": expected,
                "gap_kind": ("restart" if follows else "silence") if is_silence else "start",
            }
