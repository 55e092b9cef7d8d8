//! What an engine is opened with: the caller's wishes in, what scans and sessions need of them out.

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::format::{format, formats};
use crate::lake::AsOf;
use crate::lookup::GivenTable;
use crate::rbac::BOOTSTRAP_VERSIONS;
use crate::scan::plan::ScanOptions;
use crate::session::Limits;
use crate::source::store::StoreSettings;
use crate::time::{Clock, Window};

/// What an engine is opened with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Files, folders, globs, `-` for stdin.
    pub inputs: Vec<String>,
    /// Look only at events of this window.
    pub window: Window,
    /// The content of `cluster` where the input does not name one.
    pub cluster: Option<String>,
    /// Leave out events that were delivered twice.
    pub dedup: bool,
    /// The name of the only format to look for; otherwise each record's is found out.
    pub format: Option<String>,
    /// The version of lakes to look at; otherwise the newest.
    pub as_of: Option<AsOf>,
    /// Credentials and endpoints of object stores.
    pub stores: StoreSettings,
    /// The longest record in bytes; longer ones are rejected.
    pub max_record: usize,
    /// Worker threads.
    pub threads: usize,
    /// Bytes that sorts, joins and aggregations may hold before they spill to disk.
    pub memory: usize,
    /// Decompressed bytes of the input that are committed to a lake at once, roughly: what is done
    /// again after a kill, and what is held in memory to know events that come twice.
    pub transaction: u64,
    /// May statements write, and change what limits them: DDL, DML, COPY, any `SET`?
    pub allow_writes: bool,
    /// Files that the caller writes in this run, and the lake, with a `/` at its end: none of them
    /// may be an input or another output.
    pub outputs: Vec<PathBuf>,
    /// Dates what is written to a lake.
    pub clock: Clock,
    /// The version of Kubernetes, 1.`kubernetes_minor`, whose own roles and bindings are laid under
    /// manifests that have none of them.
    pub kubernetes_minor: u32,
    /// Lookup tables of the caller's own, and rows for those of the library.
    pub tables: Vec<GivenTable>,
    /// What the events of the window are compared with.
    pub baseline: Option<Baseline>,
}

/// The events before the window that questions about change compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Baseline {
    /// Those of the inputs in so many microseconds before the window, which needs a begin.
    Span(i64),
    /// Those of other inputs, before the window if it has a begin.
    Inputs(Vec<String>),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            inputs: Vec::new(),
            window: Window::default(),
            cluster: None,
            dedup: false,
            format: None,
            as_of: None,
            stores: StoreSettings::default(),
            max_record: 16 << 20,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            memory: 1 << 30,
            transaction: 2 << 30,
            allow_writes: false,
            outputs: Vec::new(),
            clock: Clock::system(),
            kubernetes_minor: *BOOTSTRAP_VERSIONS.end(),
            tables: Vec::new(),
            baseline: None,
        }
    }
}

impl Options {
    pub(super) fn scan(&self) -> Result<ScanOptions> {
        let format = self.format.as_deref().map(|name| {
            format(name)
                .map(|format| format.name().to_owned())
                .ok_or_else(|| {
                    let known: Vec<_> = formats().map(|format| format.name).collect();
                    let message = format!("unknown format; known formats: {}", known.join(", "));
                    Error::input(name, message)
                })
        });
        Ok(ScanOptions {
            max_record: self.max_record.clamp(64, 1 << 30),
            cluster: self.cluster.clone(),
            dedup: self.dedup,
            format: format.transpose()?,
            is_baseline: false,
        })
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            threads: self.threads,
            memory: self.memory,
        }
    }
}
