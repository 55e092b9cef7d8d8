//! Lines of `aws logs tail` and awslogs: a time or a log group, the stream and the message in; the
//! message out.
//!
//! `--format detailed` writes `2026-11-20T10:00:01.234000+00:00 STREAM MESSAGE`; `--format json` the
//! same with the message over several lines; awslogs `GROUP STREAM MESSAGE`. Other streams of the
//! log group stand between them. Source: aws-cli `awscli/customizations/logs/tail.py`; jorgebastida/
//! awslogs.

use std::borrow::Cow;

use crate::format::cloudwatch::{cluster_of, may_hold_events};
use crate::format::{LineFormat, Provenance, TextLine, writer};
use crate::time::parse_micros;

pub(super) struct AwsTail;

impl LineFormat for AwsTail {
    fn name(&self) -> &'static str {
        "aws-logs-tail"
    }

    fn doc(&self) -> &'static str {
        "lines of `aws logs tail` and awslogs (EKS): a time or the log group, and the stream, in front of each message"
    }

    fn line<'l>(&self, line: &'l str) -> Option<TextLine<'l>> {
        let (first, rest) = line.split_once(' ')?;
        let (stream, message) = rest.split_once(' ')?;
        let group = cluster_of(first);
        if (group.is_none() && parse_micros(first).is_none()) || !is_stream(stream) {
            return None;
        }
        let mut envelope = Vec::new();
        if group.is_none() {
            writer::string(&mut envelope, "timestamp", first);
        }
        Some(TextLine {
            payload: Cow::Borrowed(message),
            provenance: Provenance {
                cluster: group.map(Cow::Borrowed),
                log_stream: Some(Cow::Borrowed(stream)),
                envelope: writer::text(envelope).filter(|text| !text.is_empty()),
                ..Provenance::default()
            },
            part: None,
        })
    }
}

/// Is it a stream of an EKS control plane?
fn is_stream(name: &str) -> bool {
    name.starts_with("kube-apiserver-audit-") || !may_hold_events(None, Some(name))
}
