"""The views of what was refused and of what admission decided: rows of `events` in, (row, own columns) out.

The messages are those of Kubernetes: `apimachinery/pkg/api/errors` (what comes before the cause), the plug-ins in
`plugin/pkg/admission`, `pod-security-admission`, and the webhook dispatchers in `apiserver/pkg/admission/plugin/webhook`.
"""

import re

from json_text import Malformed, at_path, elements, string
from views import requests

FORBIDDEN = re.compile(r'\S+( "([^"\\]|\\.)*")? is forbidden: ')
INTERNAL = "Internal error occurred: "
WEBHOOK_SAYS_NO = re.compile(r'admission webhook "([^"]*)" denied the request')
WEBHOOK_FAILED = re.compile(r'failed calling (?:admission )?webhook "([^"]*)')
POLICY_SAYS_NO = re.compile(r"ValidatingAdmissionPolicy '([^']*)' with binding '([^']*)' denied request")
POD_SECURITY = re.compile(r'violates PodSecurity "([^"]*)')
QUOTA = re.compile(r"(?:exceeded|failed) quota: ([^,:]+)")
LIMIT = re.compile(r"\[?(?:(?:minimum|maximum) \S+ (?:usage|limit)|\S+ max limit to request ratio per )")


def explanation(message):
    """The message behind what every error of its kind begins with."""
    if message is None:
        return None
    if message.startswith(INTERNAL):
        return message[len(INTERNAL) :]
    found = FORBIDDEN.match(message)
    return message[found.end() :] if found else message


def cause_of(row, text):
    """(cause, name) of a denial; None when the request was not denied."""
    code, decision = row["response_code"], row["authz_decision"]
    said = text or ""

    def named(pattern, cause):
        found = pattern.match(said)
        return found and (cause, found[1] or None)

    if decision == "forbid":
        return "authorization", None
    if code is None or code < 400:
        return None
    if code == 401:
        return "authentication", None
    found = named(WEBHOOK_SAYS_NO, "webhook") or named(WEBHOOK_FAILED, "webhook-unreachable")
    if found:
        return found
    if said.startswith("conversion webhook for ") and code >= 500:
        return "webhook-unreachable", None
    found = named(POLICY_SAYS_NO, "policy")
    if found:
        return found
    if code == 429:
        budget = row["subresource"] == "eviction" and '"DisruptionBudget"' in (row["response_details"] or "")
        if budget or said.startswith("Cannot evict pod as it would violate the pod's disruption budget"):
            return "disruption-budget", None
        if decision is None and (text is None or said.lower().startswith("too many requests")):
            return "priority-and-fairness", None
        return "throttling", None
    if code == 422:
        return "invalid", None
    if code != 403:
        return None
    if decision is None and "cannot impersonate" in said:
        return "impersonation", None
    found = named(POD_SECURITY, "pod-security")
    if found:
        return found
    beginnings = {
        "unable to validate against any security context constraint": "security-context-constraints",
        "image policy webhook backend denied one or more images": "image-policy",
        "exceeded quota: ": "quota",
        "failed quota: ": "quota",
        "insufficient quota to consume: ": "quota",
        "status unknown for quota: ": "quota",
        "error looking up service account ": "service-account",
    }
    for beginning, cause in beginnings.items():
        if said.startswith(beginning):
            quota = QUOTA.match(said) if cause == "quota" else None
            return cause, quota and quota[1]
    if said.startswith("unable to create new content in namespace ") and said.endswith(" because it is being terminated"):
        return "namespace-terminating", None
    if re.match(r'user "[\s\S]*\) is attempting to grant RBAC permissions not currently held', said):
        return "rbac-escalation", None
    if LIMIT.match(said):
        return "limit-range", None
    if re.match(r"service account [\s\S]* was not found", said):
        return "service-account", None
    if row["api_group"] == "certificates.k8s.io" and (
        re.match(r"use of [\s\S]* signer with ", said)
        or re.match(r"user not permitted to [\s\S]* requests with signerName ", said)
    ):
        return "signer", None
    if decision == "allow":
        return ("node-restriction" if row["actor_kind"] == "node" else "admission"), None
    return "unknown", None


def denials(rows):
    """Requests that were turned down, with the cause; decided: 404, 409 and 400 are no denials, 422 and 429 are."""
    for row, _ in requests(rows):
        text = explanation(row["response_message"])
        found = cause_of(row, text)
        if found is None:
            continue
        cause, name = found
        if cause in ("authentication", "impersonation", "authorization", "unknown"):
            gate = cause
        elif cause in ("priority-and-fairness", "throttling"):
            gate = "throttling"
        else:
            gate = "admission or registry"
        yield row, {"explanation": text, "cause": cause, "cause_name": name, "refused_by": gate}


NUMBERED = re.compile(
    r"(mutation|failed-open\.mutation|failed-open\.validating)\.webhook\.admission\.k8s\.io/round_(.*)", re.S
)
PLACE = re.compile(r"([0-9]+)_index_([0-9]+)")
POD_SECURITY_KEY = "pod-security.kubernetes.io/"
DECISION = (
    "annotation annotation_value mechanism decision controller configuration round position message patch".split()
)


def noted_decisions(row):
    """The decisions in the annotations, in their order, and then the refusal of the message."""
    notes = row["annotations"] or {}
    refusal = refusal_of(row)

    def decision(key, value, mechanism, what, controller=None, **more):
        return {
            **dict.fromkeys(DECISION),
            "annotation": key,
            "annotation_value": value,
            "mechanism": mechanism,
            "decision": what,
            "controller": controller,
            **more,
        }

    for key, value in notes.items():
        numbered = NUMBERED.fullmatch(key)
        if numbered:
            kind, suffix = numbered[1], numbered[2]
            place = PLACE.fullmatch(suffix)
            place = {name: int(place[at]) for at, name in ((1, "round"), (2, "position"))} if place else {}
            called = f"mutation.webhook.admission.k8s.io/round_{suffix}"
            if kind == "failed-open.validating":
                yield decision(key, value, "validating-webhook", "failed-open", value, **place)
            elif kind == "failed-open.mutation":
                if called not in notes:
                    yield decision(key, value, "mutating-webhook", "failed-open", value, **place)
            else:
                what = {"true": "mutated", "false": "unchanged"}.get(shown(value, "mutated"))
                what = "failed-open" if f"failed-open.{called}" in notes else what
                patch = notes.get(f"patch.webhook.admission.k8s.io/round_{suffix}")
                place["patch"] = shown(patch, "patch")
                place["configuration"] = shown(value, "configuration")
                yield decision(key, value, "mutating-webhook", what, shown(value, "webhook"), **place)
        elif key == "validation.policy.admission.k8s.io/validation_failure":
            for failure in readable(elements, value.strip()) or []:
                text = string(failure) if failure.startswith('"') else failure
                yield decision(
                    key,
                    text,
                    "policy",
                    "violation",
                    shown(text, "policy"),
                    configuration=shown(text, "binding"),
                    message=shown(text, "message"),
                )
        elif key.startswith(POD_SECURITY_KEY):
            what = key[len(POD_SECURITY_KEY) :]
            if what == "audit-violations":
                level = re.match(r'would violate PodSecurity "([^"]+)"', value)
                yield decision(key, value, "pod-security", "violation", level and level[1], message=value)
            elif what == "enforce-policy" and ' is forbidden: violates PodSecurity "' not in (row["response_message"] or ""):
                yield decision(key, value, "pod-security", "allowed", value)
            elif what == "exempt":
                yield decision(key, value, "pod-security", "exempt", value)
            elif what == "error":
                yield decision(key, value, "pod-security", "error", message=value)
        elif key in ("alpha.image-policy.k8s.io/failed-open", "imagepolicywebhook.image-policy.k8s.io/failed-open"):
            yield decision(key, value, "image-policy", "failed-open")
    if refusal is not None:
        mechanism, what, controller, configuration = refusal
        text = row["response_message"]
        yield decision(None, text, mechanism, what, controller, configuration=configuration, message=text)


def readable(read, *arguments):
    """What a JSON text says; None when it is none."""
    try:
        return read(*arguments)
    except Malformed:
        return None


def is_object(text):
    return text is not None and text.startswith("{")


def shown(text, name):
    """A member of a JSON object as text."""
    value = readable(at_path, text, name) if is_object(text) else None
    return string(value) if value is not None and value.startswith('"') else value


def refusal_of(row):
    """(mechanism, decision, controller, configuration) of a refusal by a webhook, policy or Pod Security."""
    message, code = row["response_message"], row["response_code"]
    if message is None or code is None or code < 400:
        return None
    found = WEBHOOK_SAYS_NO.match(message)
    if found:
        return "webhook", "denied", found[1], None
    text = explanation(message)
    found = WEBHOOK_FAILED.match(text)
    if found and message.startswith(INTERNAL):
        return "webhook", "failed-closed", found[1], None
    if text == message:
        return None
    found = POLICY_SAYS_NO.match(text)
    if found:
        return "policy", "denied", found[1], found[2]
    found = POD_SECURITY.match(text)
    if found:
        return "pod-security", "denied", found[1], None
    if text.startswith("image policy webhook backend denied one or more images"):
        return "image-policy", "denied", None, None
    return None


def admission_decisions(rows):
    """One row per decision that an annotation or the message of a refusal tells."""
    for row, _ in requests(rows):
        for own in noted_decisions(row):
            yield row, own
