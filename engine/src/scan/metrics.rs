//! What a scan of a query tells `EXPLAIN ANALYZE`: counts and times in, DataFusion's metrics out.

use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, Time};

use crate::account::Tally;

/// The metrics of one worker.
#[derive(Debug, Clone)]
pub(crate) struct ScanMetrics {
    /// Pieces of the input that were read to their end.
    pub(super) pieces: Count,
    bytes: Count,
    records: Count,
    events: Count,
    rejects: Count,
    skipped: Count,
    /// Fetching and decompressing bytes, and cutting them into chunks.
    pub(super) time_reading: Time,
    /// Deciding what each record is, and filling columns.
    pub(super) time_decoding: Time,
    /// Finishing batches, and waiting until somebody takes them.
    pub(super) time_handing_over: Time,
}

impl ScanMetrics {
    /// The metrics of the worker of this partition.
    pub(super) fn new(set: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let count = |name: &'static str| MetricBuilder::new(set).counter(name, partition);
        let time = |name: &'static str| MetricBuilder::new(set).subset_time(name, partition);
        Self {
            pieces: count("pieces"),
            bytes: count("bytes"),
            records: count("records"),
            events: count("events"),
            rejects: count("rejects"),
            skipped: count("skipped"),
            time_reading: time("time_reading"),
            time_decoding: time("time_decoding"),
            time_handing_over: time("time_handing_over"),
        }
    }

    /// Adds what was counted in one chunk.
    pub(super) fn add(&self, tally: &Tally) {
        let sum = |counts: &crate::account::Counts| {
            usize::try_from(counts.values().sum::<u64>()).unwrap_or(usize::MAX)
        };
        let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        self.bytes.add(number(tally.bytes));
        self.records.add(number(tally.read()));
        self.events.add(number(tally.events));
        self.rejects.add(sum(&tally.rejects));
        self.skipped.add(sum(&tally.skipped));
    }
}
