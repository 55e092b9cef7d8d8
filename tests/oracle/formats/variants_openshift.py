"""Variants of OpenShift: ViaQ and OTLP."""

from envelopes import *
from variant import *

VIAQ = {"cluster": OPENSHIFT_ID, "account": None, "log_stream": NODE}


@variant("viaq.lines.json", "viaq", VIAQ)
def _(events):
    if not regular(events):
        return None
    return data(*(viaq(event) + "\n" for event in events)), {}


@variant("viaq.level-default.json", "viaq", VIAQ)
def _(events):
    if not regular(events):
        return None
    others = lambda micros: [viaq_auditd(micros) + "\n", viaq_ovn(micros) + "\n"]
    more = {"source_type": "file", "tag": ".openshift-audit.log"}
    return beside(events, others, lambda event: viaq(event, "openshiftAPI", level_lost=True, **more) + "\n")


NODE_OF = {"openshift.cluster.uid": OPENSHIFT_ID, "openshift.log.source": "kubeAPI", "k8s.node.name": NODE}


@variant("otlp.string-body.json", "otlp", VIAQ)
def _(events):
    others = (NODE_OF, [otlp_record(any_value(line), events[0].micros) for line in KLOG])
    record = lambda event: otlp_record(
        any_value(event.text), event.micros, [("k8s.audit.event.verb", event.string("verb"))]
    )
    documents = [
        otlp([others, (NODE_OF, [record(event) for event in some])]) + "\n" for some in batches(events, 100)
    ]
    return data(*documents), {NOT_AN_EVENT: len(KLOG) * len(documents)}


@variant("otlp.kvlist-body.json", "otlp", {"cluster": "shop-prod", "account": None, "log_stream": "master-0"})
def _(events):
    if not regular(events):
        return None
    of = {"k8s.cluster.name": "shop-prod", "host.name": "master-0"}
    records = lambda some: [otlp_record(kvlist(event.text), event.micros) for event in some]
    return data(*(otlp([(of, records(some))]) + "\n" for some in batches(events, 100))), {}
