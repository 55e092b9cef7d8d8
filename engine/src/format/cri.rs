//! Container log files of the Container Runtime Interface: `<time> stdout|stderr F|P <text>` in,
//! the text out.
//!
//! The runtime cuts the output of a process after 16 KiB, even inside a character. `P` says that
//! the line continues in the next one of the same stream, `F` that it ends. Source:
//! kubernetes/cri-api, "CRI log format"; containerd `pkg/cri/io/logger.go`.

use std::borrow::Cow;

use crate::format::{LineFormat, PayloadPart, Provenance, TextLine, writer};
use crate::time::parse_micros;

pub(super) struct Cri;

impl LineFormat for Cri {
    fn name(&self) -> &'static str {
        "cri"
    }

    fn doc(&self) -> &'static str {
        "container log files as containerd and CRI-O write them: a time, the stream and F or P in front of each line, parts joined"
    }

    fn line<'l>(&self, line: &'l str) -> Option<TextLine<'l>> {
        let (time, rest) = line.split_once(' ')?;
        let (stream, rest) = rest.split_once(' ')?;
        let (tags, text) = rest
            .split_once(' ')
            .unwrap_or_else(|| rest.split_at(rest.len()));
        let complete = match tags.split(':').next()? {
            "F" => true,
            "P" => false,
            _ => return None,
        };
        if !matches!(stream, "stdout" | "stderr") || parse_micros(time).is_none() {
            return None;
        }
        let mut envelope = Vec::new();
        writer::string(&mut envelope, "time", time);
        writer::string(&mut envelope, "stream", stream);
        let provenance = Provenance {
            envelope: writer::text(envelope),
            ..Provenance::default()
        };
        Some(TextLine {
            payload: Cow::Borrowed(text),
            provenance,
            part: Some(PayloadPart { stream, complete }),
        })
    }
}
