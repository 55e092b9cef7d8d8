//! The apiserver's own log: one event a record, with nothing around it, in; the event out.
//!
//! `--audit-log-path` writes one event a line (minikube, kubeadm, kind, RKE2, K3s). Arrays and
//! pretty-printed events come from `jq`.

use crate::format::{Envelope, Record, Unwrapped};

pub(super) const NAME: &str = "kube-apiserver";

pub(super) struct KubeApiserver;

impl Envelope for KubeApiserver {
    fn name(&self) -> &'static str {
        NAME
    }

    fn doc(&self) -> &'static str {
        "audit events as the apiserver writes them to a file: JSON lines, also pretty-printed, concatenated or in an array; v1, v1beta1 and v1alpha1"
    }

    fn members(&self) -> &'static [&'static str] {
        &["kind", "auditID"]
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        let typed = record.is("kind", "Event")
            && record
                .member("apiVersion")
                .and_then(crate::json::Value::text)
                .is_some_and(|version| version.decode().starts_with("audit.k8s.io/"));
        let signs = ["stage", "verb", "requestURI"]
            .iter()
            .filter(|name| record.member(name).is_some())
            .count();
        typed || (record.member("auditID").is_some() && signs >= 2)
    }

    fn unwrap(&self, record: &Record<'_>, out: &mut dyn Unwrapped) {
        out.event(record.text, None);
    }
}
