//! Frameworks of compliance: files of `auditql-queries` in, controls with the saved queries that are
//! evidence for them out.
//!
//! The questions are our own words: no text of a standard is in the library.

use std::sync::LazyLock;

use serde::Deserialize;

/// A framework and its controls that an audit log has something to do with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// The name of its file, such as `pci-dss-4.0`.
    #[serde(default)]
    pub id: String,
    /// Its name.
    pub title: String,
    /// The edition that the numbers are of.
    pub version: String,
    /// What it is, and what of it an audit log can show.
    pub about: String,
    /// The controls, in its order.
    #[serde(rename = "control")]
    pub controls: Vec<FrameworkControl>,
}

/// A control of a framework.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameworkControl {
    /// Its number.
    pub id: String,
    /// Its numbers in other editions, such as those for managed clusters.
    #[serde(default)]
    pub also: Vec<String>,
    /// What it asks, in our words.
    pub question: String,
    /// Saved queries that are evidence for it.
    #[serde(default)]
    pub queries: Vec<String>,
    /// What a log cannot show.
    #[serde(default)]
    pub cannot: String,
    /// What else an auditor asks for.
    #[serde(default)]
    pub ask: String,
}

static FRAMEWORKS: LazyLock<(Vec<Framework>, Vec<String>)> = LazyLock::new(|| {
    let (mut frameworks, mut broken) = (Vec::new(), Vec::new());
    for (id, text) in auditql_queries::frameworks() {
        match toml::from_str::<Framework>(text) {
            Ok(framework) => frameworks.push(Framework {
                id: id.to_owned(),
                ..framework
            }),
            Err(error) => broken.push(format!("frameworks/{id}.toml: {error}")),
        }
    }
    (frameworks, broken)
});

impl Framework {
    /// The frameworks of the library, by id.
    pub fn library() -> &'static [Self] {
        &FRAMEWORKS.0
    }

    /// Shipped files that could not be read, each with why; a test holds this empty.
    pub fn broken() -> &'static [String] {
        &FRAMEWORKS.1
    }

    /// Whether a control has this query as evidence.
    pub fn asks(&self, query: &str) -> bool {
        let mut controls = self.controls.iter();
        controls.any(|control| control.queries.iter().any(|id| id == query))
    }
}
