//! Syslog messages, one a line: the header of RFC 5424 or RFC 3164 and a message in, the message
//! out.
//!
//! Supported are `<134>1 2026-11-22T10:14:16Z host program pid id [data] message`,
//! `<134>Nov 22 10:14:16 host program[pid]: message`, and the latter as syslog daemons write it to
//! files: without the priority, perhaps with an RFC 3339 time. The message follows the program's
//! tag and the cookie `@cee:`. Source: RFC 5424 §6, RFC 3164 §4, rsyslog's templates
//! RSYSLOG_FileFormat and RSYSLOG_TraditionalFileFormat.

use std::borrow::Cow;

use crate::format::{LineFormat, Provenance, TextLine, writer};
use crate::time::parse_micros;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

pub(super) struct Syslog;

impl LineFormat for Syslog {
    fn name(&self) -> &'static str {
        "syslog"
    }

    fn doc(&self) -> &'static str {
        "syslog messages (RFC 5424, RFC 3164, files of syslog daemons), one a line, with an event as the message"
    }

    fn line<'l>(&self, line: &'l str) -> Option<TextLine<'l>> {
        let (priority, rest) = priority(line).unwrap_or(("", line));
        let header = rfc5424(priority, rest).or_else(|| rfc3164(priority, rest))?;
        let message = header.message.trim_start_matches([' ', '\u{feff}']);
        let message = message
            .strip_prefix("@cee:")
            .unwrap_or(message)
            .trim_start();
        let mut envelope = Vec::new();
        if let Ok(priority) = priority.parse::<u16>() {
            writer::raw(&mut envelope, "priority", &priority.to_string());
        }
        for (name, value) in header
            .fields
            .into_iter()
            .filter(|(_, value)| !matches!(*value, "" | "-"))
        {
            writer::string(&mut envelope, name, value);
        }
        let provenance = Provenance {
            log_stream: Some(header.host)
                .filter(|host| !matches!(*host, "" | "-"))
                .map(Cow::Borrowed),
            envelope: writer::text(envelope).filter(|text| !text.is_empty()),
            ..Provenance::default()
        };
        Some(TextLine {
            payload: Cow::Borrowed(message),
            provenance,
            part: None,
        })
    }
}

/// The fields of a header; missing ones are empty.
struct SyslogHeader<'l> {
    host: &'l str,
    fields: [(&'static str, &'l str); 5],
    message: &'l str,
}

/// The number between the angle brackets, and what is behind them.
fn priority(line: &str) -> Option<(&str, &str)> {
    let (number, rest) = line.strip_prefix('<')?.split_once('>')?;
    ((1..=3).contains(&number.len()) && is_digits(number)).then_some((number, rest))
}

fn rfc5424<'l>(priority: &str, text: &'l str) -> Option<SyslogHeader<'l>> {
    let mut words = text.strip_prefix("1 ")?.splitn(6, ' ');
    let (time, host, program) = (words.next()?, words.next()?, words.next()?);
    let (process, id, rest) = (words.next()?, words.next()?, words.next()?);
    if parse_micros(time).is_none() && (time != "-" || priority.is_empty()) {
        return None;
    }
    let (data, message) = structured_data(rest)?;
    let fields = [
        ("time", time),
        ("program", program),
        ("process", process),
        ("messageId", id),
        ("structuredData", data),
    ];
    Some(SyslogHeader {
        host,
        fields,
        message,
    })
}

/// `-`, or elements `[id name="value"]`, and what is behind them; some writers leave both out
/// before an object.
fn structured_data(text: &str) -> Option<(&str, &str)> {
    if text.starts_with('{') {
        return Some(("", text));
    }
    if let Some(message) = text.strip_prefix('-') {
        return (message.is_empty() || message.starts_with(' ')).then_some(("-", message));
    }
    let (mut open, mut quoted, mut escaped) = (false, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if open => quoted = !quoted,
            b']' if open && !quoted => open = false,
            _ if open => {}
            b'[' => open = true,
            _ if at > 0 => return text.split_at_checked(at),
            _ => return None,
        }
    }
    (!open).then_some((text, ""))
}

fn rfc3164<'l>(priority: &str, text: &'l str) -> Option<SyslogHeader<'l>> {
    let (time, rest) = iso_time(text).or_else(|| month_time(text))?;
    let rest = rest.trim_start_matches(' ');
    let (host, rest) = if rest.starts_with('{') || tag(rest).is_some() {
        ("", rest)
    } else {
        rest.split_once(' ')?
    };
    let rest = rest.trim_start_matches(' ');
    let tag = if rest.starts_with('{') {
        None
    } else {
        tag(rest)
    };
    // Many lines begin with such a time; only the month's name is syslog's own.
    if priority.is_empty() && iso_time(text).is_some() && tag.is_none() && !rest.starts_with('{') {
        return None;
    }
    let (program, message) = tag.unwrap_or(("", rest));
    let fields = [
        ("time", time),
        ("program", program),
        ("process", ""),
        ("messageId", ""),
        ("structuredData", ""),
    ];
    Some(SyslogHeader {
        host,
        fields,
        message,
    })
}

fn iso_time(text: &str) -> Option<(&str, &str)> {
    text.split_once(' ')
        .filter(|(time, _)| parse_micros(time).is_some())
}

/// `Nov  2 10:14:16`, and what is behind it.
fn month_time(text: &str) -> Option<(&str, &str)> {
    let (month, rest) = text.split_once(' ')?;
    let (day, rest) = rest.trim_start_matches(' ').split_once(' ')?;
    let (clock, rest) = rest.split_once(' ')?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let known = MONTHS.contains(&month)
        && day.len() <= 2
        && is_digits(day)
        && is_clock(clock)
        && is_digits(fraction);
    let time = text.get(..text.len() - rest.len())?.trim_end();
    known.then_some((time, rest))
}

fn is_clock(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    parts.len() == 3 && parts.iter().all(|part| part.len() == 2 && is_digits(part))
}

/// `program:` or `program[pid]:`, without the colon, and the message behind it.
fn tag(text: &str) -> Option<(&str, &str)> {
    let (tag, message) = text.split_once(':')?;
    let program = tag.split_once('[').map_or(tag, |(program, _)| program);
    let sound = !program.is_empty()
        && program
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_./()".contains(&byte))
        && (program.len() == tag.len() || tag.ends_with(']'))
        && !tag.contains(' ');
    (sound && (message.is_empty() || message.starts_with([' ', '{', '@'])))
        .then_some((tag, message))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
