//! What a question has read so far, how far it is, and the way to stop it.

use std::sync::Arc;

use crate::account::{FileShare, InputReport, Ledger, ScanReport};
use crate::scan::locate::locate_samples;
use crate::scan::open::OpenScan;

/// The account of one question or conversion. Clones are the same account: one can be read, or used
/// to cancel, while another belongs to the work.
#[derive(Debug, Clone)]
pub struct Account {
    pub(crate) ledger: Arc<Ledger>,
    logs: OpenScan,
    /// The Parquet files and lakes of the input, whose rows are known without reading.
    known: Arc<[InputReport]>,
    /// The same of the inputs that these are compared with.
    baseline: Arc<[InputReport]>,
    /// Its files of Kubernetes objects, which were read when it was opened.
    manifests: Arc<[InputReport]>,
}

impl Account {
    /// Nothing is read yet.
    pub(crate) fn new(
        logs: OpenScan,
        known: Arc<[InputReport]>,
        baseline: Arc<[InputReport]>,
        manifests: Arc<[InputReport]>,
    ) -> Self {
        Self {
            ledger: Arc::default(),
            logs,
            known,
            baseline,
            manifests,
        }
    }

    /// What was read so far. Rows are counted once, however often a query reads them.
    pub fn report(&self) -> ScanReport {
        let scanned = self.ledger.report();
        let is_counted = scanned.is_some() || self.logs.plan.objects.is_empty();
        let mut report = scanned.unwrap_or_default();
        if is_counted {
            self.known
                .iter()
                .for_each(|input| report.add(input.clone()));
            let baseline = self.baseline.iter();
            baseline.for_each(|input| report.add_baseline(input.clone()));
        }
        report.asked_for_objects = self.ledger.reads_objects();
        if is_counted || report.asked_for_objects {
            let manifests = self.manifests.iter();
            manifests.for_each(|input| report.add(input.clone()));
        }
        report.asked_for_events = is_counted && self.ledger.reads_events();
        report.unchecked_files = self.ledger.files().unchecked_files;
        locate_samples(&self.logs, &mut report);
        report
    }

    /// How far the reading is: pieces of work finished, and in all. `None` before it begins.
    pub fn progress(&self) -> Option<(u64, u64)> {
        self.ledger.progress()
    }

    /// How many data files of lakes the question had before it, and how many it left out unopened.
    pub fn files(&self) -> FileShare {
        self.ledger.files()
    }

    /// Requests that went over the network, and bytes that came, since the engine was opened.
    pub fn traffic(&self) -> (u64, u64) {
        let traffic = self.logs.stores.traffic();
        (traffic.requests(), traffic.bytes())
    }

    /// Stops the work at the next opportunity. Its answer ends with
    /// [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted); a conversion leaves nothing
    /// behind.
    pub fn cancel(&self) {
        self.ledger.cancel();
    }
}
