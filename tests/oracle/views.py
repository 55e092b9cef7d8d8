"""The views: each takes the rows of `events` and yields (row, own columns)."""

from apiserver_rules import query_boolean, query_params
from columns import first
from json_text import at_path, boolean, elements, integer, members, string


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
        # GKE delivers no query: what it knows of it is in a label.
        label = (row["annotations"] or {}).get("command.gke.io/command")
        command = query_params(uri, "command")
        streams = kind != "portforward" and uri is not None
        options = streams and label is None
        yield row, {
            "kind": kind,
            "command": (" ".join(command) if command else label) if kind == "exec" else None,
            "container": first(query_params(uri, "container")) if streams else None,
            "stdin": query_boolean(uri, "stdin") if options else None,
            "tty": query_boolean(uri, "tty") if options else None,
            "started_at": row["request_received_timestamp"],
            "ended_at": row["stage_timestamp"] if is_final(row) else None,
        }


def is_core(row):
    return row["api_group"] in (None, "")


def succeeded(row):
    return row["response_code"] is not None and 200 <= row["response_code"] < 300


def is_dry_run(row):
    return "All" in (row["dry_run"] or "")


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
    `tokenreviews`, ...) are in too, although nothing is stored: the log calls them creates. `write_kind`
    says which is which.
    """
    for row, _ in requests(rows):
        if (
            row["verb"] in ("create", "update", "patch", "delete", "deletecollection")
            and row["resource"] is not None
            and row["subresource"] not in ("exec", "attach", "portforward", "proxy")
            and succeeded(row)
            and not is_dry_run(row)
        ):
            yield row, {"operation": "create" if is_create(row) else row["verb"], "write_kind": write_kind(row)}


# (API group, resource) of what is created without being stored.
ANSWERS = {
    ("login.concierge.pinniped.dev", "tokencredentialrequests"): "token",
    ("identity.concierge.pinniped.dev", "whoamirequests"): "review",
    ("template.openshift.io", "processedtemplates"): "review",
    ("", "bindings"): "binding",
}
GROUPS_OF_REVIEWS = (
    "authentication.k8s.io authorization.k8s.io authorization.openshift.io identity.concierge.pinniped.dev".split()
)


def write_kind(row):
    """What a write wrote: an object, a part of one, or nothing but an answer."""
    group, resource, subresource = row["api_group"], row["resource"], row["subresource"]
    if subresource:
        known = ("status", "scale", "approval", "binding", "eviction", "token")
        return subresource if subresource in known else "subresource"
    if row["verb"] != "create":
        return "object"
    is_review = resource.endswith("reviews") and (
        group in GROUPS_OF_REVIEWS
        or (group == "security.openshift.io" and resource.startswith("podsecuritypolicy"))
    )
    return "review" if is_review else ANSWERS.get((group, resource), "object")


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

    `object_kind` follows from the resource. What was written is read from the response where it is a
    binding (or a role), else from the request.
    """
    for row, own in object_writes(rows):
        kind = RBAC_KINDS.get(row["resource"])
        if kind is None or row["api_group"] != "rbac.authorization.k8s.io":
            continue
        response = row["response_object"]

        def body(*kinds):
            return response if string(at_path(response, "kind")) in kinds else row["request_object"]

        binding = body("RoleBinding", "ClusterRoleBinding")
        role_ref = at_path(binding, "roleRef")
        yield row, {
            **own,
            "object_kind": kind,
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


def rbac_history(rows):
    """The versions that `rbac_changes` shows: those that the log says more of than that there was a write.

    Each holds until the next write to the same object ends, at whatever level that was logged.
    """
    by_object = {}
    for row, own in rbac_changes(rows):
        key = (own["object_kind"], row["namespace"], row["object_name"])
        by_object.setdefault(key, []).append((row, own))
    for writes in by_object.values():
        order = ("stage_timestamp", "request_received_timestamp", "audit_id")
        writes.sort(key=lambda write: [(write[0][name] is None, write[0][name] or "") for name in order])
        following = [row["stage_timestamp"] for row, _ in writes[1:]] + [None]
        for (row, own), until in zip(writes, following):
            if row["level"] in ("Request", "RequestResponse"):
                yield row, {
                    **own,
                    "deleted": own["operation"] in ("delete", "deletecollection"),
                    "valid_from": row["stage_timestamp"],
                    "valid_until": until,
                }
