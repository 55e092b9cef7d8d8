//! HTTP/1.1 for the small store: bytes of a connection in, requests out; answers in, bytes out.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    net::TcpStream,
    time::{SystemTime, UNIX_EPOCH},
};

/// A request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) bucket: String,
    /// Decoded; empty if the request is about the bucket.
    pub(crate) key: String,
    pub(crate) query: BTreeMap<String, String>,
    /// By names in small letters.
    headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The next request; `None` at the end. `read` holds what was read and belongs to the next one.
    pub(super) fn read(connection: &mut TcpStream, read: &mut Vec<u8>) -> Option<Self> {
        let end = loop {
            if let Some(at) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at;
            }
            more(connection, read)?;
        };
        let head = String::from_utf8_lossy(&read[..end]).into_owned();
        read.drain(..end + 4);
        let mut lines = head.lines();
        let mut words = lines.next()?.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?);
        let headers: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers
            .get("content-length")
            .map_or(0, |length| length.parse().unwrap());
        while read.len() < length {
            more(connection, read)?;
        }
        let body = read.drain(..length).collect();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.strip_prefix('/')?;
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let query = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (name.to_owned(), decoded(&value.replace('+', " "))))
            .collect();
        Some(Self {
            method,
            bucket: decoded(bucket),
            key: decoded(key),
            query,
            headers,
            body,
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Bucket and key.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.bucket, self.key)
    }

    /// Is it to be written only if it is not there?
    pub(crate) fn is_creation(&self) -> bool {
        self.header("if-none-match") == Some("*")
            || self.header("x-goog-if-generation-match") == Some("0")
    }

    /// Does it ask for bytes of this object?
    pub(crate) fn reads(&self, path: &str) -> bool {
        self.method == "GET" && self.path() == path
    }

    pub(super) fn is_google(&self) -> bool {
        // Only S3 signs its requests so.
        !self
            .header("authorization")
            .unwrap_or_default()
            .starts_with("AWS4")
    }
}

fn more(connection: &mut TcpStream, read: &mut Vec<u8>) -> Option<()> {
    let mut buffer = vec![0; 1 << 16];
    match connection.read(&mut buffer) {
        Ok(length @ 1..) => {
            read.extend_from_slice(&buffer[..length]);
            Some(())
        }
        _ => None,
    }
}

/// Without percent encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let byte = match (first, after) {
            (b'%', [high, low, ..]) => std::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|digits| u8::from_str_radix(digits, 16).ok()),
            _ => None,
        };
        rest = if byte.is_some() { &after[2..] } else { after };
        bytes.push(byte.unwrap_or(first));
    }
    String::from_utf8(bytes).unwrap()
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub(super) fn new(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
        }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self::new(status, Vec::new())
    }

    pub(super) fn xml(body: String) -> Self {
        let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{body}");
        Self::new(200, body.into_bytes()).with("Content-Type", "application/xml")
    }

    pub(crate) fn error(status: u16, code: &str) -> Self {
        let text = format!("<Error><Code>{code}</Code><Message>told by the test</Message></Error>");
        Self {
            status,
            ..Self::xml(text)
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn write(&self, connection: &mut TcpStream, request: &Request) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {} Told\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if self.status != 204 {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        head += "\r\n";
        connection.write_all(head.as_bytes())?;
        if request.method != "HEAD" && self.status != 204 {
            connection.write_all(&self.body)?;
        }
        connection.flush()
    }
}

/// Year, month, day, hour, minute, second (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms").
fn civil(time: SystemTime) -> (u64, u64, u64, u64, u64, u64) {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + u64::from(month <= 2);
    let second = seconds % 86_400;
    (
        year,
        month,
        day,
        second / 3600,
        second / 60 % 60,
        second % 60,
    )
}

/// As in headers (RFC 9110).
pub(super) fn date(time: SystemTime) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let days = time.duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400;
    let (year, month, day, hour, minute, second) = civil(time);
    let (name, month) = (DAYS[days as usize % 7], MONTHS[month as usize - 1]);
    format!("{name}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

/// As in listings (RFC 3339).
pub(super) fn timestamp(time: SystemTime) -> String {
    let (year, month, day, hour, minute, second) = civil(time);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
}
