//! The output of `oc adm node-logs`: `hostname {event}` in, the event out.
//!
//! The node's name precedes each line of its log. Source: openshift/cluster-debug-tools
//! `pkg/cmd/audit/io.go`, which removes it.

use std::borrow::Cow;

use crate::format::{LineFormat, Provenance, TextLine};

pub(super) struct NodeLogs;

impl LineFormat for NodeLogs {
    fn name(&self) -> &'static str {
        "node-logs"
    }

    fn doc(&self) -> &'static str {
        "lines of `oc adm node-logs` (OpenShift): the name of the node in front of each event"
    }

    fn line<'l>(&self, line: &'l str) -> Option<TextLine<'l>> {
        let (word, payload) = line.split_once(' ')?;
        // Lines of JSON over several lines look similar: `"user": {`.
        let object = payload
            .strip_prefix('{')
            .is_some_and(|inside| inside.trim_start().starts_with(['"', '}']));
        if !object || word.is_empty() || word.contains(['{', '}', '[', ']', '"', ',']) {
            return None;
        }
        let host = !word.ends_with(':');
        let provenance = Provenance {
            log_stream: host.then_some(Cow::Borrowed(word)),
            ..Provenance::default()
        };
        Some(TextLine {
            payload: Cow::Borrowed(payload),
            provenance,
            part: None,
        })
    }
}
