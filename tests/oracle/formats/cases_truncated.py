"""Cases in which EKS cut an event on its way into CloudWatch Logs.

The control plane cuts a long event anywhere and ends it with `[Truncated...]`: no JSON any more, but
what stands before the cut is worth a row. What must come out of it, by `salvaged` below:

  - every member that is complete before the cut. A string is complete with its closing quote, an object
    or array with its closing bracket; a number only when something follows it, for `40` may have been
    `403`.
  - of an object of the event's own (user, impersonatedUser, authenticationMetadata, objectRef,
    responseStatus, annotations) in which the cut lies, the members that are complete; nothing deeper: of
    a list of groups, or of `user.extra`, a part would be a false statement. When none is complete the
    object is left out: an empty `user` means a request that failed authentication.
  - of a body in which the cut lies, nothing.
  - nothing is added. The column `truncated` is true.

Without an auditID and two of stage, verb and requestURI it is no event but a reject, "truncated".
"""

import sys

sys.dont_write_bytecode = True
from envelope_case import *
import json_text

MARK = "[Truncated...]"
TRUNCATED = "truncated"
OBJECTS = {"user", "impersonatedUser", "authenticationMetadata", "objectRef", "responseStatus", "annotations"}


# ---------------------------------------------------------------- what is left of a cut event


def complete_members(text):
    """The complete members of the object that `text` begins with; the name of the one that is cut; its value so far."""
    pairs, at = [], json_text.skip_white(text, 1)
    while True:
        try:
            end = json_text.value_end(text, at)
            name = json_text.string(text[at:end])
            at = json_text.skip_white(text, end)
            if text[at : at + 1] != ":":
                return pairs, None, ""
            at = json_text.skip_white(text, at + 1)
        except json_text.Malformed:
            return pairs, None, ""
        try:
            end = json_text.value_end(text, at)
        except json_text.Malformed:
            return pairs, name, text[at:]
        if end == len(text) and text[at] not in '"{[':
            return pairs, name, text[at:]
        pairs.append((name, text[at:end]))
        at = json_text.skip_white(text, end)
        if text[at : at + 1] != ",":
            return pairs, None, ""
        at = json_text.skip_white(text, at + 1)


def salvaged(message):
    """The event, as text, that a cut message still holds; None when it is too little."""
    pairs, name, rest = complete_members(message.removesuffix(MARK))
    if name in OBJECTS and rest.startswith("{"):
        inner, _, _ = complete_members(rest)
        if inner:
            pairs.append((name, dump({key: Raw(raw) for key, raw in inner})))
    members = dict(pairs)
    if "auditID" not in members or sum(key in members for key in ("stage", "verb", "requestURI")) < 2:
        return None
    return dump({key: Raw(raw) for key, raw in pairs})


def cut_before(event, part, more=0):
    """The message that is left when the cut falls before the first `part`, or `more` characters into it."""
    return event.text[: event.text.index(part) + more] + MARK


# ---------------------------------------------------------------- cases


def rows(name, cuts, wrap, format="cloudwatch", suffix="json", **columns):
    """A case in which a whole event stands before and after the cut ones."""
    messages = [READYZ.text, *cuts, EXEC.text]
    events = [READYZ.text, *(salvaged(cut) for cut in cuts), EXEC.text]
    rejects = {TRUNCATED: events.count(None)} if None in events else None
    events = [event for event in events if event]
    flags = [event not in (READYZ.text, EXEC.text) for event in events]
    content = wrap([(message, EXEC.micros) for message in messages])
    write(format, name, [content], events, suffix, rejects=rejects, columns=columns | {"truncated": flags})


def bodies():
    """Where nearly every cut falls."""
    response = '"responseObject":'
    return [
        cut_before(CREATE, response, 700),
        cut_before(CREATE, '"requestObject":', 300),
        cut_before(CREATE, response),  # after a comma
        cut_before(CREATE, response, 8),  # in a name
        cut_before(CREATE, response, len(response)),  # before a value
        cut_before(PATCH, '"requestObject":', 30),  # in an array
        cut_before(CREATE, '"requestReceivedTimestamp"', -1),  # after a bracket, before the comma
    ]


def strings():
    """In a string, an escape, and after a quote."""
    return [
        cut_before(CREATE, '"stageTimestamp":', 30),
        cut_before(HOSTILE, r"\u00e9", 4),
        cut_before(HOSTILE, r"\ud83d\ude00", 6),
        cut_before(HOSTILE, r"\"q\"", 1),
        cut_before(EXEC, '"verb":"get"', 12),
    ]


def objects():
    """Inside the event's own objects."""
    return [
        cut_before(CREATE, '"authorization.k8s.io/reason"', 40),  # annotations before it are whole
        cut_before(CREATE, '"annotations":{', 20),  # none is
        cut_before(DENIED, '"groups":[', 25),  # half a list
        cut_before(CREATE, '"extra":{', 50),  # an object deeper
        cut_before(IMPERSONATED, '"impersonatedUser":{', 70),
        cut_before(EXEC, '"subresource":', 17),
        cut_before(DENIED, '"message":', 30),
        cut_before(EXEC, '"user":{', 11),  # no user at all is not an empty user
    ]


def numbers():
    """A number may go on after the cut."""
    whole = changed(EXEC, '"code":101}', '"code":403}')
    return [
        cut_before(whole, '"code":', 9),
        cut_before(whole, '"code":', 10),
        cut_before(whole, '"code":', 11),
    ]


def too_little():
    return [
        cut_before(EXEC, '"requestURI":', 60),  # a stage, and half a URI
        cut_before(EXEC, '"auditID":', 20),
        cut_before(EXEC, '"kind"'),
        cut_before(EXEC, '"verb":', 9),  # enough: stage and requestURI
    ]


def cloudwatch():
    rows("truncated-body", bodies(), subscription, **EKS)
    rows("truncated-string", strings(), subscription, **EKS)
    rows("truncated-object", objects(), subscription, **EKS)
    rows("truncated-number", numbers(), subscription, **EKS)
    rows("truncated-too-early", too_little(), subscription, **EKS)
    # The mark inside a whole event cuts nothing; the apiserver has an annotation for its own limit.
    limited = changed(EXEC, '"annotations":{', '"annotations":{"audit.k8s.io/truncated":"true",')
    flags = [False, True, False]
    whole = [HOSTILE, limited, EXEC]
    content = subscription([(event.text, event.micros) for event in whole])
    write("cloudwatch", "mark-in-a-whole-event", [content], whole, "json", columns=EKS | {"truncated": flags})


def other_deliveries():
    cuts = bodies()[:2] + objects()[:1] + too_little()[:1]
    line = lambda messages: b"".join(export_line(text, micros) for text, micros in messages)
    rows("truncated", cuts, line, "cloudwatch-export", "log")
    stream = {"log_stream": AUDIT_STREAM}
    page = lambda messages: filter_log_events([(AUDIT_STREAM, text, micros) for text, micros in messages])
    rows("truncated", cuts, page, "cloudwatch-events", **stream)
    rows("truncated-get", cuts, get_log_events, "cloudwatch-events")
    rows(
        "truncated",
        cuts,
        lambda messages: insights([insights_row(*message) for message in messages]),
        "cloudwatch-insights",
        **EKS
    )
    # filebeat reads the log group by itself.
    source = {"awscloudwatch": {"log_group": GROUP, "log_stream": AUDIT_STREAM}}
    beat = lambda messages: "".join(dump(source | {"message": text}) + "\n" for text, _ in messages)
    rows("eks-truncated", cuts, beat, "shipper")
    # Firehose can take the messages out of their documents: a plain log in which lines are cut.
    bare_lines = lambda messages: "".join(text + "\n" for text, _ in messages)
    rows("eks-truncated-lines", cuts, bare_lines, "kube-apiserver", "log")


def main():
    cloudwatch()
    other_deliveries()
