//! Events of the sources of a transaction in, encoded row groups of one day each out; with what is
//! to be known of every source's rows.
//!
//! Rows of several days are collected side by side, since a log that is cut at any place holds two;
//! when there are too many days, or too many bytes in all, the largest group is handed over.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::mpsc::SyncSender;

use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::schema::types::SchemaDescPtr;
use parking_lot::Mutex;

use crate::account::Reject;
use crate::column::parquet::RowGroup;
use crate::column::{Row, RowOrigin};
use crate::error::{Error, Result};
use crate::event::{Event, ReasonCache};
use crate::file::parquet::EncodedGroup;
use crate::lake::file_statistics::{Day, FileStatistics, TimeRange, date_text};
use crate::lake::reject_file::RejectFile;
use crate::lake::source::SourceDays;
use crate::record::sink::{EventSource, RecordLocation, RecordSink};
use crate::scan::job::{Collector, Job};
use crate::scan::plan::PlannedObject;
use crate::time::MICROS_A_DAY;

/// Days that are collected side by side.
const MOST_DAYS: usize = 8;

/// A row group of one day.
pub(crate) struct DayGroup {
    pub(crate) day: Day,
    pub(crate) group: EncodedGroup,
    pub(crate) statistics: FileStatistics,
}

/// What is known of the rows of one source.
#[derive(Debug, Default)]
pub(crate) struct SourceRows {
    days: BTreeMap<Day, (u64, i64)>,
    pub(crate) staged: TimeRange,
}

impl SourceRows {
    /// One more row.
    pub(crate) fn add(&mut self, day: Day, staged: Option<i64>, hash: i64) {
        let entry = self.days.entry(day).or_default();
        entry.0 += 1;
        entry.1 = entry.1.wrapping_add(hash);
        self.staged.add(staged);
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (day, (rows, hash)) in other.days {
            let entry = self.days.entry(day).or_default();
            entry.0 += rows;
            entry.1 = entry.1.wrapping_add(hash);
        }
        self.staged.merge(other.staged);
    }

    /// By the names of the days.
    pub(crate) fn days(&self) -> SourceDays {
        let mut days = SourceDays::default();
        for (day, (rows, hash)) in &self.days {
            days.add(day.map_or_else(String::new, date_text), *rows, *hash);
        }
        days
    }
}

/// Collects the rows of one thread.
pub(crate) struct LakeRows<'b> {
    job: &'b Job,
    schema: &'b SchemaDescPtr,
    /// Bytes of events that make the groups full.
    full: u64,
    open: Vec<OpenGroup>,
    /// A group that is not in use, with its memory.
    spare: Option<RowGroup>,
    reasons: ReasonCache,
    cluster: Option<&'b str>,
    source_file: String,
    source_id: String,
    /// By the id of the source.
    sources: HashMap<String, SourceRows>,
    current: SourceRows,
    rejects: &'b Mutex<RejectFile>,
    /// Of all threads, by the id of the source.
    totals: &'b Mutex<HashMap<String, SourceRows>>,
    sender: SyncSender<Result<DayGroup>>,
    failure: Option<Error>,
}

/// A group that fills.
struct OpenGroup {
    day: Day,
    group: RowGroup,
    statistics: FileStatistics,
}

impl<'b> LakeRows<'b> {
    /// Collects groups of about `full` bytes of events.
    pub(crate) fn new(
        job: &'b Job,
        schema: &'b SchemaDescPtr,
        full: u64,
        rejects: &'b Mutex<RejectFile>,
        totals: &'b Mutex<HashMap<String, SourceRows>>,
        sender: SyncSender<Result<DayGroup>>,
    ) -> Self {
        Self {
            job,
            schema,
            full,
            open: Vec::new(),
            spare: None,
            reasons: ReasonCache::default(),
            cluster: job.scan.plan.options.cluster.as_deref(),
            source_file: String::new(),
            source_id: String::new(),
            sources: HashMap::new(),
            current: SourceRows::default(),
            rejects,
            totals,
            sender,
            failure: None,
        }
    }

    fn push(
        &mut self,
        event: &Event<'_>,
        place: RecordLocation,
        source: &EventSource<'_>,
    ) -> Result<(), ParquetError> {
        let day = event
            .staged
            .and_then(|micros| i32::try_from(micros.div_euclid(MICROS_A_DAY)).ok());
        let found = self.open.iter().position(|open| open.day == day);
        let index = match found {
            Some(index) => index,
            None => {
                if self.open.len() >= MOST_DAYS {
                    self.hand_over_largest()?;
                }
                let group = self
                    .spare
                    .take()
                    .map_or_else(|| RowGroup::new(self.schema), Ok)?;
                self.open.push(OpenGroup {
                    day,
                    group,
                    statistics: FileStatistics::default(),
                });
                self.open.len() - 1
            }
        };
        let origin = RowOrigin {
            source_id: Some(&self.source_id),
            ..place.origin(source, &self.source_file, self.cluster)
        };
        let open = &mut self.open[index];
        open.group.push(&Row::new(event, origin, &self.reasons))?;
        open.statistics.rows += 1;
        open.statistics.staged.add(event.staged);
        open.statistics.received.add(event.received);
        self.current
            .add(day, event.staged, place.identity.unwrap_or(0));
        Ok(())
    }

    fn hand_over_largest(&mut self) -> Result<(), ParquetError> {
        let Some(largest) =
            (0..self.open.len()).max_by_key(|&index| self.open[index].group.bytes())
        else {
            return Ok(());
        };
        let OpenGroup {
            day,
            mut group,
            statistics,
        } = self.open.swap_remove(largest);
        let encoded = EncodedGroup::of(&mut group)?;
        // A group keeps the memory of the most that it ever held: one such is enough.
        self.spare.get_or_insert(group);
        // When it is not taken the job has been stopped.
        let _ = self.sender.send(Ok(DayGroup {
            day,
            group: encoded,
            statistics,
        }));
        Ok(())
    }

    fn end_source(&mut self) {
        let rows = std::mem::take(&mut self.current);
        if !rows.days.is_empty() {
            self.sources
                .entry(self.source_id.clone())
                .or_default()
                .merge(rows);
        }
    }
}

impl RecordSink for LakeRows<'_> {
    fn event(&mut self, event: &Event<'_>, place: RecordLocation, source: &EventSource<'_>) {
        if let Err(error) = self.push(event, place, source) {
            self.failure.get_or_insert_with(|| error.into());
        }
    }

    fn reject(&mut self, reject: Reject) {
        let mut rejects = self.rejects.lock();
        if let Err(error) = rejects.add(&self.source_file, &self.source_id, reject) {
            self.failure.get_or_insert(error);
        }
    }

    /// The source is left before it, and the next run comes back to it: the lake does not keep what
    /// that may read.
    fn reject_tail(&mut self, _: Reject) {}
}

impl Collector for LakeRows<'_> {
    fn object(&mut self, planned: &PlannedObject) {
        self.end_source();
        self.source_file.clone_from(&planned.object.uri);
        self.source_id = planned
            .resume
            .as_ref()
            .map(|resume| resume.source_id.clone())
            .unwrap_or_default();
    }

    fn hand_over(&mut self) -> ControlFlow<()> {
        if self.failure.is_none()
            && self.open.iter().map(|open| open.group.bytes()).sum::<u64>() >= self.full
            && let Err(error) = self.hand_over_largest()
        {
            self.failure = Some(error.into());
        }
        if self.failure.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn finish(&mut self) -> Result<()> {
        self.end_source();
        while !self.open.is_empty() && self.failure.is_none() && !self.job.is_stopped() {
            if let Err(error) = self.hand_over_largest() {
                self.failure = Some(error.into());
            }
        }
        let mut totals = self.totals.lock();
        for (id, rows) in self.sources.drain() {
            totals.entry(id).or_default().merge(rows);
        }
        self.failure.take().map_or(Ok(()), Err)
    }

    fn fail(&mut self, error: Error) {
        let _ = self.sender.send(Err(error));
    }
}
