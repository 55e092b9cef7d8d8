//! CSV and TSV in; a line of JSON for each row, with the names of the header row, out.
//!
//! What a console's export button gives: CloudWatch Logs Insights, Azure's portal, Logs Explorer,
//! BigQuery, Splunk, Kibana, Grafana, Datadog. A cell that is JSON stays JSON, any other becomes a
//! string, and a name with dots (`protoPayload.methodName`) is a path. Rows that go over several
//! lines are followed by as many empty lines. Source: RFC 4180; exports of these consoles.
//!
//! Not responsible for: which column holds the event (`format/`).

mod row;

use std::io::{self, Read};

use serde::{Deserialize, Serialize};

use row::Columns;

/// What stands between the cells, and how quotes in a cell are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delimiter {
    byte: u8,
    /// A quote in a cell has a backslash before it, and is not doubled.
    escaped: bool,
}

const DELIMITERS: [u8; 4] = *b",\t;|";
/// A longer row is damage: a quote that nothing closes.
const LONGEST_ROW: u64 = 128 << 20;
/// Rows that are looked at to recognise a table.
const LOOKED_AT: usize = 8;

impl Delimiter {
    /// By a header row and rows of as many cells, one of which begins as JSON or is named as in a
    /// table of events.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        let text = after_preamble(head);
        let first = text.first()?;
        // JSON, and most lines of logs.
        if matches!(first, b'{' | b'[' | b'<' | b'#') {
            return None;
        }
        let line = &text[..memchr::memchr(b'\n', text)?];
        if line.len() > 16 << 10 || line.contains(&b'{') || std::str::from_utf8(line).is_err() {
            return None;
        }
        let escaped = memchr::memmem::find(text, b"\"{\\\"").is_some()
            && memchr::memmem::find(text, b"\"{\"\"").is_none();
        DELIMITERS
            .into_iter()
            .map(|byte| Self { byte, escaped })
            .find(|delimiter| delimiter.fits(text))
    }

    fn fits(self, text: &[u8]) -> bool {
        let mut reader = self.reader(text);
        let mut records = reader.byte_records();
        let Some(Ok(header)) = records.next() else {
            return false;
        };
        let names = || header.iter().map(<[u8]>::trim_ascii);
        if !names().all(is_name) || (header.len() == 1 && self.byte != b',') {
            return false;
        }
        // The last row may be cut.
        let rows: Vec<_> = records.take(LOOKED_AT).map_while(Result::ok).collect();
        let whole = if rows.len() < LOOKED_AT && rows.len() > 1 {
            &rows[..rows.len() - 1]
        } else {
            &rows[..]
        };
        let same = whole.iter().all(|row| row.len() == header.len());
        let json = |cell: &[u8]| {
            let cell = cell.trim_ascii_start();
            cell.starts_with(b"{") || cell.starts_with(b"[{") || cell.starts_with(b"\"{")
        };
        let holds_json = rows.iter().any(|row| row.iter().any(json));
        // One column is a table only if its cells are written as cells.
        let quoted = memchr::memmem::find(text, b"\n\"{").is_some();
        same && !rows.is_empty()
            && (holds_json || row::are_of_events(names()))
            && (header.len() > 1 || quoted)
    }

    pub(super) const fn name(self) -> &'static str {
        if self.byte == b'\t' { "TSV" } else { "CSV" }
    }

    fn reader<R: Read>(self, reader: R) -> csv::Reader<R> {
        csv::ReaderBuilder::new()
            .delimiter(self.byte)
            .has_headers(false)
            .flexible(true)
            .double_quote(!self.escaped)
            .escape(self.escaped.then_some(b'\\'))
            .from_reader(reader)
    }
}

/// The text behind a byte-order mark, empty lines, and Excel's `sep=,`.
fn after_preamble(head: &[u8]) -> &[u8] {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = text.trim_ascii_start();
    match text.strip_prefix(b"sep=") {
        Some(rest) => rest.get(1..).unwrap_or_default().trim_ascii_start(),
        None => text,
    }
}

/// May this be the name of a column? Values are not: numbers, times, sentences.
fn is_name(cell: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(cell) else {
        return false;
    };
    let words = name.split_ascii_whitespace().count();
    (1..=4).contains(&words)
        && name.len() <= 200
        && name.chars().any(char::is_alphabetic)
        && !name.starts_with(|letter: char| letter.is_ascii_digit())
        && !name.contains(['"', '{', '}', '\\'])
}

/// Reads a table as lines of JSON.
pub(super) struct TableReader<R: Read> {
    rows: csv::Reader<Preamble<R>>,
    columns: Option<Columns>,
    row: csv::ByteRecord,
    /// The line of the text that the next row begins in.
    line: u64,
    text: Vec<u8>,
    at: usize,
}

impl<R: Read> TableReader<R> {
    pub(super) fn new(reader: R, delimiter: Delimiter) -> Self {
        let preamble = Preamble {
            reader,
            skipped: None,
            head: Vec::new(),
            left: LONGEST_ROW,
        };
        Self {
            rows: delimiter.reader(preamble),
            columns: None,
            row: csv::ByteRecord::new(),
            line: 0,
            text: Vec::new(),
            at: 0,
        }
    }

    /// The next row as JSON, and the ends of its lines; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.text.clear();
        self.at = 0;
        self.rows.get_mut().left = LONGEST_ROW;
        if !self
            .rows
            .read_byte_record(&mut self.row)
            .map_err(io::Error::other)?
        {
            return Ok(false);
        }
        match &self.columns {
            None => self.columns = Some(Columns::new(&self.row)),
            Some(columns) => columns.write(&self.row, &mut self.text),
        }
        // The reader steps over empty lines before a row, and over a CR before its LF.
        let inside = self
            .row
            .iter()
            .map(|cell| memchr::memchr_iter(b'\n', cell).count());
        let own = self.line + 1 + inside.sum::<usize>() as u64;
        let before = self.rows.get_ref().lines();
        let line = own.max(before + self.rows.position().line().saturating_sub(1));
        self.text.extend((self.line..line).map(|_| b'\n'));
        self.line = line;
        Ok(true)
    }
}

impl<R: Read> Read for TableReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() {
            if buffer.is_empty() || !self.fill()? {
                return Ok(0);
            }
        }
        let some = (self.text.len() - self.at).min(buffer.len());
        buffer[..some].copy_from_slice(&self.text[self.at..self.at + some]);
        self.at += some;
        Ok(some)
    }
}

/// Steps over what stands before the header row, and stops at a row that does not end.
struct Preamble<R> {
    reader: R,
    /// Lines before the header row.
    skipped: Option<u64>,
    head: Vec<u8>,
    left: u64,
}

impl<R> Preamble<R> {
    fn lines(&self) -> u64 {
        self.skipped.unwrap_or_default()
    }
}

impl<R: Read> Read for Preamble<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.skipped.is_none() {
            let mut head = Vec::new();
            self.reader.by_ref().take(4096).read_to_end(&mut head)?;
            let text = after_preamble(&head);
            let before = &head[..head.len() - text.len()];
            self.skipped = Some(memchr::memchr_iter(b'\n', before).count() as u64);
            self.head = text.to_vec();
        }
        if !self.head.is_empty() {
            let some = self.head.len().min(buffer.len());
            buffer[..some].copy_from_slice(&self.head[..some]);
            self.head.drain(..some);
            return Ok(some);
        }
        if self.left == 0 {
            return Err(io::Error::other(format!(
                "a row is longer than {} MiB: a quote is not closed",
                LONGEST_ROW >> 20
            )));
        }
        let read = self.reader.read(buffer)?;
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}
