//! Lines of a CloudWatch Logs export task to S3: `2023-07-31T01:58:12.101Z <message>` in, the
//! message out.
//!
//! Each line has the time at which CloudWatch received the log event, in milliseconds, and the
//! unchanged message. Source: real export tasks; moto's `logs/models.py`.

use std::borrow::Cow;

use crate::format::syslog::Syslog;
use crate::format::{LineFormat, Provenance, TextLine, writer};
use crate::time::parse_micros;

pub(super) struct CloudWatchExport;

impl LineFormat for CloudWatchExport {
    fn name(&self) -> &'static str {
        "cloudwatch-export"
    }

    fn doc(&self) -> &'static str {
        "lines of a CloudWatch Logs export task to S3 (EKS): a time in milliseconds in front of each message"
    }

    fn line<'l>(&self, line: &'l str) -> Option<TextLine<'l>> {
        let (time, message) = line.split_once(' ')?;
        let milliseconds = time.len() == "2023-07-31T01:58:12.101Z".len() && time.ends_with('Z');
        if !milliseconds || parse_micros(time).is_none() || message.trim_start().is_empty() {
            return None;
        }
        // A syslog daemon may write such times, too.
        if !message.starts_with('{')
            && Syslog
                .line(line)
                .is_some_and(|syslog| syslog.payload.starts_with('{'))
        {
            return None;
        }
        let mut envelope = Vec::new();
        writer::string(&mut envelope, "timestamp", time);
        let provenance = Provenance {
            envelope: writer::text(envelope),
            ..Provenance::default()
        };
        Some(TextLine {
            payload: Cow::Borrowed(message),
            provenance,
            part: None,
        })
    }
}
