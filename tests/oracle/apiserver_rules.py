"""Rules of the values of an event: URIs, authorizers' reasons, actors, times.

Rules that are Kubernetes' or Go's rather than ours, and where they come from:
  - the query of a URI: `net/url.ParseQuery` (a pair with `;` or a broken escape is dropped, `+` is a
    space); booleans in it: `runtime.Convert_Slice_string_To_bool`
  - the RBAC reason: `pkg/registry/rbac/validation/rule.go`; names are quoted with `%q`, and both a
    RoleBinding and a ServiceAccount are written name first: "name/namespace"
  - the Node authorizer's refusals: `plugin/pkg/auth/authorizer/node/node_authorizer.go`; reasons of
    several authorizers are joined by a newline (`authorization/union`)
"""

import datetime
import fnmatch
import re

from json_text import string


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


MODES = {"AlwaysAllow": "always-allow", "AlwaysDeny": "always-deny"}


def structured_decision(decision, row):
    """The columns that `authorizationDecision` (KEP-6001) fills, given those of the annotations."""

    def no_case(value):
        if isinstance(value, dict):
            return {key.replace("_", "").lower(): no_case(item) for key, item in value.items()}
        return value

    def reference(value):
        if isinstance(value, str):
            return {"name": value or None}
        value = value if isinstance(value, dict) else {}
        texts = {key: value.get(key) for key in ("kind", "namespace", "name")}
        return {key: text if isinstance(text, str) and text else None for key, text in texts.items()}

    decision, columns = no_case(decision), {}
    said = decision.get("decision")
    if isinstance(said, str) and said.lower() in ("allow", "allowed"):
        columns["authz_decision"] = "allow"
    elif isinstance(said, str) and said.lower() in ("deny", "denied", "forbid", "forbidden"):
        columns["authz_decision"] = "forbid"

    name = decision.get("authorizer")
    name = name if isinstance(name, str) and name else None
    for mode in ("RBAC", "Webhook", "Node", "ABAC", *MODES):
        if name is not None and name.lower() == mode.lower():
            name = MODES.get(mode, mode.lower())
    grant = decision.get("rbac") if isinstance(decision.get("rbac"), dict) else {}
    binding, role = reference(grant.get("binding")), reference(grant.get("role"))
    inside = grant["binding"] if isinstance(grant.get("binding"), dict) else {}
    subject = reference(grant.get("matchedsubject", inside.get("matchedsubject")))
    granted = binding.get("name") is not None or role.get("name") is not None
    if name is None and granted:
        name = "rbac"
    # The access policies of EKS and the IAM of GKE are webhooks with a name of their own.
    if name is None or (name == "webhook" and row["authorizer"] not in (None, "rbac", "node")):
        name = row["authorizer"]
    columns["authorizer"] = name
    if granted:
        columns.update(
            binding_kind=binding.get("kind"),
            binding_namespace=binding.get("namespace") or role.get("namespace"),
            binding_name=binding.get("name"),
            role_kind=role.get("kind"),
            role_name=role.get("name"),
            subject_kind=subject.get("kind"),
            subject_namespace=subject.get("namespace"),
            subject_name=subject.get("name"),
        )
        if binding.get("kind") == "ClusterRoleBinding":
            columns["binding_namespace"] = None
    elif name != row["authorizer"]:
        columns.update(dict.fromkeys(RBAC_COLUMNS))
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


# Namespaces of what authenticates people itself and passes their requests on by impersonation.
PROXIES = (
    "cattle-impersonation-system cattle-system gke-connect kube-oidc-proxy loft pinniped-concierge tailscale"
    " teleport-agent"
).split()


def is_proxy(username):
    namespace, _ = service_account(username)
    if namespace is not None:
        return namespace in PROXIES
    if username == "system:admin" or username.startswith("system:bootstrap:"):
        return False
    return actor_kind(username) == "control-plane"


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
