//! Saved queries: files of `auditql-queries` in, checked questions with their SQL out.
//!
//! A file begins with `-- ` lines that are one TOML document (the header), then comes plain SQL.
//! The file runs unchanged in any shell that knows the tables. The id is the file's name, the pack
//! its folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{LazyLock, RwLock};

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Hint, Result};
use crate::lookup::LookupDefinition;
use crate::query::columns::selected_columns;
use crate::query::level::AuditLevel;
use crate::query::message::MessageTemplate;
use crate::query::need::QueryNeed;
use crate::query::params::Parameter;
use crate::schema::split_header;
use crate::time::parse_duration;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// An inventory; no finding by itself.
    Info,
    /// Worth a look.
    Low,
    /// Should be explained.
    Medium,
    /// Should be acted on.
    High,
    /// Should be acted on now.
    Critical,
}

impl Severity {
    /// Every severity, the least first.
    pub const ALL: [Self; 5] = [
        Self::Info,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// Its name in headers and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// A saved query.
#[derive(Debug, Clone)]
pub struct SavedQuery {
    /// Unique, stable.
    pub id: String,
    /// The pack it is in.
    pub pack: String,
    /// The part of its pack: a tactic for detections; empty without one.
    pub group: String,
    /// What it is about, and how it is to be read.
    pub header: QueryHeader,
    /// Its parameters in the order of their names.
    pub parameters: Vec<(String, Parameter)>,
    /// The SQL.
    pub sql: String,
    /// The file, header included.
    pub text: String,
    /// Its test cases.
    pub cases: String,
    /// Is it of the shipped library, whose headers and SQL are tested?
    pub is_shipped: bool,
}

/// The header of a saved query.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryHeader {
    /// A name for people.
    pub title: String,
    /// The question that the rows answer.
    pub question: String,
    /// What exactly the rows are.
    pub description: String,
    /// How bad a row is, unless the row has a column `severity`.
    pub severity: Severity,
    /// The audit level it needs.
    pub level: AuditLevel,
    /// Controls of frameworks that the answer is evidence for.
    #[serde(default)]
    pub controls: Vec<String>,
    /// MITRE ATT&CK techniques.
    #[serde(default)]
    pub attack: Vec<String>,
    /// Harmless things that look the same.
    #[serde(default)]
    pub false_positives: String,
    /// What it cannot show.
    pub limits: String,
    /// What a row means, as a sentence.
    #[serde(default)]
    pub message: MessageTemplate,
    /// Which of its columns matter most.
    #[serde(default)]
    pub columns: QueryColumns,
    /// The requests that it looks at.
    #[serde(default)]
    pub needs: Vec<QueryNeed>,
    /// The lookup tables that it reads.
    #[serde(default)]
    pub tables: Vec<String>,
    /// How far back the requests before the window must reach, as a duration such as `7d`; empty for
    /// a query that does not compare with before.
    #[serde(default)]
    pub baseline: String,
    /// Saved queries to run next, each as `ID name={column} …`.
    #[serde(default)]
    pub triage: Vec<String>,
    /// How to make it quieter or sharper.
    #[serde(default)]
    pub tuning: String,
    /// Rules of others that it covers, as `Falco: NAME`.
    #[serde(default)]
    pub covers: Vec<String>,
    /// Where it differs from them, and why.
    #[serde(default)]
    pub differs: String,
    #[serde(default)]
    parameters: toml::Table,
}

/// The columns of a saved query that matter most.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryColumns {
    /// What tells a finding from another: who did what to what. It is the same when the query runs
    /// again, and wherever the log lies.
    #[serde(default)]
    pub key: Vec<String>,
    /// What a screen shows besides.
    #[serde(default)]
    pub detail: Vec<String>,
}

/// Columns that depend on where a log lies.
const PLACES: [&str; 4] = ["source_file", "source_line", "source_offset", "source_id"];

/// Queries of libraries of the user's own, which were read before the library was asked for.
static ADDED: RwLock<Vec<SavedQuery>> = RwLock::new(Vec::new());

static LIBRARY: LazyLock<(Vec<SavedQuery>, Vec<String>)> = LazyLock::new(|| {
    let mut broken = Vec::new();
    let mut queries: BTreeMap<String, SavedQuery> = BTreeMap::new();
    for file in auditql_queries::all() {
        match SavedQuery::parse(file.pack, file.id, file.sql, file.cases) {
            Ok(query) => {
                let group = file.group.to_owned();
                let shipped = SavedQuery {
                    group,
                    is_shipped: true,
                    ..query
                };
                queries.insert(shipped.id.clone(), shipped);
            }
            Err(error) => broken.push(format!("{}/{}.sql: {error}", file.pack, file.id)),
        }
    }
    if let Ok(added) = ADDED.read() {
        let added = added.iter().cloned();
        queries.extend(added.map(|query| (query.id.clone(), query)));
    }
    let mut queries: Vec<SavedQuery> = queries.into_values().collect();
    queries.sort_by(|a, b| (&a.pack, &a.group, &a.id).cmp(&(&b.pack, &b.group, &b.id)));
    (queries, broken)
});

impl SavedQuery {
    /// The shipped library, by pack and id.
    pub fn library() -> &'static [Self] {
        &LIBRARY.0
    }

    /// Shipped files that could not be read, each with why; a test holds this empty.
    pub fn broken() -> &'static [String] {
        &LIBRARY.1
    }

    /// The query with this id.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn find(id: &str) -> Result<&'static Self> {
        let wanted = id.trim_end_matches(".sql");
        let wanted = wanted.rsplit_once('/').map_or(wanted, |(_, id)| id);
        Self::library()
            .iter()
            .find(|query| query.id == wanted)
            .ok_or_else(|| {
                let error =
                    Error::from(ErrorKind::SavedQuery(format!("unknown saved query `{id}`")));
                error.with_hint(Hint::ListQueries)
            })
    }

    /// Adds a folder of the user's own to the library: `PACK/ID.sql` or `PACK/GROUP/ID.sql` with their
    /// cases, and `tables/NAME.toml`. A query takes the place of a shipped one with its id. It counts if
    /// the library was not asked for before.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, holds nothing of the kind, or a file is malformed or elsewhere.
    pub fn add_library(folder: &Path) -> Result<()> {
        let fail = |path: &Path, message: String| Error::input(path.display().to_string(), message);
        let walk = walkdir::WalkDir::new(folder).follow_links(true);
        let is_hidden = |entry: &walkdir::DirEntry| {
            entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.')
        };
        let mut is_empty = true;
        for entry in walk
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|entry| !is_hidden(entry))
        {
            let entry = entry.map_err(|error| fail(folder, error.to_string()))?;
            let path = entry.path();
            let below = path.strip_prefix(folder).unwrap_or(path);
            let names = below.iter().map(|name| name.to_string_lossy().into_owned());
            let names: Vec<String> = names.collect();
            let extension = path.extension().and_then(|extension| extension.to_str());
            let (pack, group) = match (names.as_slice(), extension) {
                ([tables, _], Some("toml")) if tables == "tables" => {
                    LookupDefinition::add(path)?;
                    is_empty = false;
                    continue;
                }
                ([pack, _], Some("sql")) => (pack.as_str(), ""),
                ([pack, group, _], Some("sql")) => (pack.as_str(), group.as_str()),
                (_, Some("sql")) => {
                    let message = "a query of a library is PACK/ID.sql or PACK/GROUP/ID.sql";
                    return Err(fail(path, message.to_owned()));
                }
                _ => continue,
            };
            let text =
                std::fs::read_to_string(path).map_err(|error| fail(path, error.to_string()))?;
            let cases = std::fs::read_to_string(path.with_extension("cases.md"));
            let id = path.file_stem().unwrap_or_default().to_string_lossy();
            let query = Self::parse(pack, &id, &text, &cases.unwrap_or_default())
                .map_err(|error| fail(path, error.to_string()))?;
            is_empty = false;
            if let Ok(mut added) = ADDED.write() {
                let group = group.to_owned();
                added.push(Self { group, ..query });
            }
        }
        match is_empty {
            true => Err(fail(
                folder,
                "no saved queries: they are PACK/ID.sql".to_owned(),
            )),
            false => Ok(()),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When the header is no TOML, lacks a key or has an unknown one, or there is no SQL.
    pub fn parse(pack: &str, id: &str, text: &str, cases: &str) -> Result<Self> {
        let fail = |message: String| -> Error { ErrorKind::SavedQuery(message).into() };
        let (header, sql) = split_header(text);
        let mut header: QueryHeader = toml::from_str(&header)
            .map_err(|error| fail(format!("the header is malformed: {error}")))?;
        let mut parameters = Vec::new();
        for (name, value) in std::mem::take(&mut header.parameters) {
            let parameter = value
                .try_into()
                .map_err(|error| fail(format!("parameter `{name}`: {error}")))?;
            parameters.push((name, parameter));
        }
        let sql = sql.trim().trim_end_matches(';').to_owned();
        if sql.is_empty() {
            return Err(fail("there is no SQL after the header".to_owned()));
        }
        Ok(Self {
            id: id.to_owned(),
            pack: pack.to_owned(),
            group: String::new(),
            header,
            parameters,
            sql,
            text: text.to_owned(),
            cases: cases.to_owned(),
            is_shipped: false,
        })
    }

    /// What is wrong with the file beyond what [`Self::parse`] refuses; the linter of the library.
    pub fn lint(&self) -> Vec<String> {
        let mut found = Vec::new();
        let header = &self.header;
        if !self
            .id
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        {
            found.push("the id is not lower-case words joined by `-`".to_owned());
        }
        if !header.question.ends_with('?') {
            found.push("the question does not end with `?`".to_owned());
        }
        for (key, text) in [
            ("title", &header.title),
            ("description", &header.description),
            ("limits", &header.limits),
        ] {
            if text.trim().is_empty() {
                found.push(format!("`{key}` is empty"));
            }
        }
        for technique in &header.attack {
            if !technique.starts_with('T')
                || !technique[1..]
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'.')
            {
                found.push(format!("`{technique}` is no ATT&CK technique"));
            }
        }
        if header.needs.is_empty() {
            found.push("`needs` is empty: the requests that the query looks at".to_owned());
        }
        for need in &header.needs {
            found.extend(need.lint(header.level));
        }
        for table in &header.tables {
            if !LookupDefinition::library()
                .iter()
                .any(|known| known.name == *table)
            {
                found.push(format!("`tables`: there is no lookup table `{table}`"));
            }
        }
        if !header.baseline.is_empty() && parse_duration(&header.baseline).is_none() {
            found.push("`baseline` is not a duration such as 7d".to_owned());
        }
        for (name, parameter) in &self.parameters {
            if !self.sql.contains(&format!("${name}")) {
                found.push(format!("parameter `{name}` is not used"));
            }
            if parameter.doc.trim().is_empty() {
                found.push(format!("parameter `{name}` has no doc"));
            }
        }
        found.extend(self.lint_columns());
        let words = self.sql.to_lowercase();
        let mut pairs = words
            .split_whitespace()
            .zip(words.split_whitespace().skip(1));
        if pairs.any(|(word, next)| word == "select" && next.trim_end_matches(',') == "*") {
            found.push("columns are not named: `SELECT *`".to_owned());
        }
        if !words.contains("order by") {
            found.push("the rows have no order".to_owned());
        }
        if self.cases.is_empty() {
            found.push(format!("there is no {}.cases.md", self.id));
        }
        found
    }

    /// Whether the header names columns that the query has.
    fn lint_columns(&self) -> Vec<String> {
        let QueryColumns { key, detail } = &self.header.columns;
        let mut found = Vec::new();
        if self.header.message.is_empty() {
            found.push("`message` is empty: a sentence about a row".to_owned());
        }
        if key.is_empty() {
            found.push("`columns.key` is empty: what tells a finding from another".to_owned());
        }
        if let Some(place) = key.iter().find(|name| PLACES.contains(&name.as_str())) {
            found.push(format!(
                "`columns.key`: `{place}` changes when the log is moved"
            ));
        }
        let Some(columns) = selected_columns(&self.sql) else {
            found.push("the query does not name its columns".to_owned());
            return found;
        };
        let message = self.header.message.columns();
        let key = key.iter().map(String::as_str);
        let detail = detail.iter().map(String::as_str);
        for (place, name) in message
            .into_iter()
            .map(|name| ("message", name))
            .chain(key.map(|name| ("columns.key", name)))
            .chain(detail.map(|name| ("columns.detail", name)))
        {
            if !columns.iter().any(|column| column == name) {
                found.push(format!("`{place}`: the query has no column `{name}`"));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lint(header: &str) -> Vec<String> {
        let text = format!(
            "-- title = 't'\n-- question = 'q?'\n-- description = 'd'\n-- severity = 'low'\n\
             -- level = 'Metadata'\n-- limits = 'l'\n{header}\n-- [[needs]]\n\
             -- resources = ['pods']\nSELECT actor, audit_id, source_line FROM requests ORDER BY 1"
        );
        SavedQuery::parse("p", "id", &text, "cases").unwrap().lint()
    }

    #[test]
    fn headers_name_columns_of_the_query() {
        let message = "-- message = '{actor} did it'\n";
        let lines = |text: &str| lint(&format!("{message}{text}"));
        assert_eq!(lines("-- columns.key = ['actor']"), [""; 0]);
        for wrong in [
            "-- columns.key = []",
            "-- columns.key = ['user']",
            "-- columns.key = ['actor', 'source_line']",
            "-- columns.key = ['actor']\n-- columns.detail = ['n']",
        ] {
            assert!(!lines(wrong).is_empty(), "{wrong}");
        }
        let key = "-- columns.key = ['actor']\n";
        assert!(!lint(key).is_empty());
        assert!(!lint(&format!("{key}-- message = '{{user}}'")).is_empty());
    }
}
