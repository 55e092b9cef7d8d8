//! Events in, one Parquet file out. Raw logs are encoded by several threads, a row group each; the
//! groups stand in the file in the order of the input.
//!
//! The file says what any Parquet reader understands: no Arrow schema of our own, no unsigned
//! integers, strings as `STRING`, times as UTC microseconds.

use std::{
    collections::BTreeMap,
    fs::File,
    io::BufWriter,
    ops::{ControlFlow, Range},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use datafusion::{
    arrow::array::RecordBatch,
    parquet::{
        arrow::{
            ArrowSchemaConverter,
            arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves},
        },
        basic::{Compression, ZstdLevel},
        errors::ParquetError,
        file::{
            metadata::KeyValue,
            properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr},
            writer::SerializedFileWriter,
        },
        schema::types::{ColumnPath, SchemaDescPtr},
    },
};
use futures::StreamExt;

use super::rows::Rows;
use crate::{
    Engine, Error, ErrorKind, Result,
    encode::{Encoded, RowGroup},
    scan::{
        plan::Piece,
        report::Accounts,
        seen::Seen,
        worker::{Collector, Memory, Newlines, Work},
    },
    schema,
};

/// Decompressed bytes of the input that become one row group: large enough to compress well, small
/// enough to hold several.
pub(crate) const GROUP: u64 = 64 << 20;
/// Bytes of a chunk.
pub(crate) const CHUNK: usize = 512 << 10;
/// Bytes of a page before compression: buffers of this size are used again, larger ones come fresh
/// from the system each time.
const PAGE: usize = 256 << 10;

type Writer<'f> = SerializedFileWriter<BufWriter<&'f mut File>>;

/// How the file is written. Measured in `benches/README.md`.
pub(crate) fn properties() -> WriterPropertiesPtr {
    let text = |name: &str| ColumnPath::from(name);
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("auditql ", env!("CARGO_PKG_VERSION")).to_owned())
        // Lists' items are called `element`, as the Parquet specification and Delta call them.
        .set_coerce_types(true)
        .set_data_page_size_limit(PAGE)
        .set_key_value_metadata(Some(vec![KeyValue::new(
            "auditql.version".to_owned(),
            env!("CARGO_PKG_VERSION").to_owned(),
        )]));
    // No two bodies are alike, and nobody looks for the least of them.
    for body in [
        "request_object",
        "response_object",
        "unknown_fields",
        "response_details",
    ] {
        properties = properties
            .set_column_dictionary_enabled(text(body), false)
            .set_column_statistics_enabled(text(body), EnabledStatistics::None);
    }
    // Ids are unique: a dictionary of them is a second copy; a bloom filter finds one without
    // reading a page.
    for id in ["audit_id", "source_offset", "event_bytes", "source_line"] {
        properties = properties.set_column_dictionary_enabled(text(id), false);
    }
    properties = properties
        .set_column_bloom_filter_enabled(text("audit_id"), true)
        .set_column_bloom_filter_max_ndv(text("audit_id"), 50_000);
    Arc::new(properties.build())
}

/// How small tables of a lake are written.
pub(crate) fn plain_properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("auditql ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_coerce_types(true)
        .build()
}

pub(super) async fn write(engine: &Engine, file: &mut File, to: &str) -> Result<u64> {
    let arrow = schema::events();
    let parquet = ArrowSchemaConverter::new()
        .with_coerce_types(true)
        .convert(&arrow)?;
    let root = parquet.root_schema_ptr();
    let mut writer: Writer<'_> =
        SerializedFileWriter::new(BufWriter::with_capacity(1 << 20, file), root, properties())?;
    let rows = if engine.has_parquet() {
        write_query(engine, &mut writer).await
    } else {
        engine
            .ledger()
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        write_logs(engine, &mut writer, Arc::new(parquet))
    };
    let fail = |error: Error| match error.kind() {
        ErrorKind::Sql(message) => ErrorKind::Output {
            path: to.to_owned(),
            source: std::io::Error::other(message.clone()),
        }
        .into(),
        _ => error,
    };
    let rows = rows.map_err(fail)?;
    writer.finish().map_err(|error| fail(error.into()))?;
    Ok(rows)
}

/// An encoded row group.
pub(crate) struct EncodedGroup {
    columns: Vec<Encoded>,
    pub(crate) rows: usize,
}

impl EncodedGroup {
    pub(crate) fn of(group: &mut RowGroup) -> Result<Self, ParquetError> {
        let rows = group.rows();
        Ok(Self {
            columns: group.finish()?,
            rows,
        })
    }

    pub(crate) fn append<W: std::io::Write + Send>(
        self,
        writer: &mut SerializedFileWriter<W>,
    ) -> Result<u64, ParquetError> {
        let mut target = writer.next_row_group()?;
        for column in self.columns {
            target.append_column(&column.bytes, column.close)?;
        }
        target.close()?;
        Ok(self.rows as u64)
    }
}

/// A row group of batches while it is encoded.
struct ArrowGroup {
    columns: Vec<ArrowColumnWriter>,
    rows: u64,
}

impl ArrowGroup {
    fn new(factory: &ArrowRowGroupWriterFactory) -> Result<Self, ParquetError> {
        Ok(Self {
            columns: factory.create_column_writers(0)?,
            rows: 0,
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        let mut columns = self.columns.iter_mut();
        let schema = batch.schema();
        for (field, array) in schema.fields().iter().zip(batch.columns()) {
            for leaf in compute_leaves(field, array)? {
                if let Some(column) = columns.next() {
                    column.write(&leaf)?;
                }
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn append(self, writer: &mut Writer<'_>) -> Result<u64, ParquetError> {
        let mut target = writer.next_row_group()?;
        for column in self.columns {
            column.close()?.append_to_row_group(&mut target)?;
        }
        target.close()?;
        Ok(self.rows)
    }
}

/// Inputs that are Parquet, or a mixture, go through a query; one thread encodes.
async fn write_query(engine: &Engine, writer: &mut Writer<'_>) -> Result<u64> {
    let factory = ArrowRowGroupWriterFactory::new(writer, schema::events());
    let mut answer = engine.sql("SELECT * FROM events").await?;
    let (mut group, mut bytes, mut rows) = (ArrowGroup::new(&factory)?, 0, 0);
    while let Some(batch) = answer.next().await {
        let batch = batch?;
        bytes += datafusion::physical_plan::spill::get_record_batch_memory_size(&batch) as u64;
        group.write(&batch)?;
        if bytes >= GROUP {
            rows += std::mem::replace(&mut group, ArrowGroup::new(&factory)?).append(writer)?;
            bytes = 0;
        }
    }
    if group.rows > 0 {
        rows += group.append(writer)?;
    }
    Ok(rows)
}

/// What the encoding threads share.
struct Shared<'s> {
    work: Work<'s>,
    /// Consecutive pieces that become row groups together: small files share one.
    units: Vec<Range<usize>>,
    schema: SchemaDescPtr,
    accounts: Arc<Accounts>,
    next: AtomicUsize,
    stopped: AtomicBool,
    /// The user wants no more.
    cancelled: &'s AtomicBool,
    /// The piece whose groups are written now: nobody runs far ahead of it.
    writing: Mutex<usize>,
    moved: Condvar,
    /// The queues of the pieces that were taken.
    queues: Mutex<BTreeMap<usize, Receiver<Result<EncodedGroup>>>>,
    taken: Condvar,
    ahead: usize,
}

impl Shared<'_> {
    /// Takes the next piece, once the writer is near enough.
    fn take(&self) -> Option<(usize, SyncSender<Result<EncodedGroup>>)> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        if index >= self.units.len() {
            return None;
        }
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        while index >= *writing + self.ahead && !self.stopped() {
            writing = self
                .moved
                .wait(writing)
                .unwrap_or_else(PoisonError::into_inner);
        }
        drop(writing);
        // A cancelled run still hands over the queue of the piece, so that the writer does not wait
        // for it.
        if self.stopped.load(Ordering::Relaxed) {
            return None;
        }
        let (sender, receiver) = sync_channel(2);
        self.queues
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(index, receiver);
        self.taken.notify_all();
        Some((index, sender))
    }

    /// The queue of a piece, once somebody has taken it.
    fn queue(&self, index: usize) -> Receiver<Result<EncodedGroup>> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(queue) = queues.remove(&index) {
                return queue;
            }
            queues = self
                .taken
                .wait(queues)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed) || self.cancelled.load(Ordering::Relaxed)
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.moved.notify_all();
    }

    fn done(&self, index: usize) {
        *self.writing.lock().unwrap_or_else(PoisonError::into_inner) = index + 1;
        self.moved.notify_all();
    }

    /// Encodes pieces until there are none.
    fn encode(&self, window: crate::table::Window) {
        let mut group = None;
        let mut memory = Memory::default();
        while let Some((index, sender)) = self.take() {
            // A panic that only dropped the sender would look like the end of the piece, and lose
            // its rows.
            let encoded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let group = match &mut group {
                    Some(group) => group,
                    None => group.insert(RowGroup::new(&self.schema)?),
                };
                self.encode_unit(index, &sender, window, group, &mut memory)
            }));
            // A unit that was left early: its other pieces are not read any more, and nobody must
            // wait for their newlines.
            self.units[index]
                .clone()
                .for_each(|piece| self.work.newlines.publish(piece, 0));
            let encoded = encoded.unwrap_or_else(|_| {
                Err(ErrorKind::Internal("encoding a row group failed".to_owned()).into())
            });
            if let Err(error) = encoded {
                let _ = sender.send(Err(error));
            }
        }
    }

    fn encode_unit(
        &self,
        index: usize,
        sender: &SyncSender<Result<EncodedGroup>>,
        window: crate::table::Window,
        group: &mut RowGroup,
        memory: &mut Memory,
    ) -> Result<()> {
        let mut failure: Option<Error> = None;
        let take = |group: &mut RowGroup| {
            let sent = EncodedGroup::of(group).map(|group| sender.send(Ok(group)).is_ok());
            match sent {
                Ok(true) if !self.stopped() => ControlFlow::Continue(()),
                Ok(_) => ControlFlow::Break(()),
                Err(error) => {
                    failure = Some(error.into());
                    ControlFlow::Break(())
                }
            }
        };
        let mut rows = Rows::new(
            group,
            GROUP + GROUP / 4,
            window,
            self.work.options.cluster.clone(),
            take,
        );
        let mut flow = ControlFlow::Continue(());
        for piece in self.units[index].clone() {
            let (tally, done) = self.work.run(piece, &mut rows, memory);
            self.accounts.merge(self.work.pieces[piece].object, tally);
            flow = done;
            if flow.is_break() {
                break;
            }
            self.accounts.finish_piece();
        }
        if flow.is_continue() {
            let _ = rows.hand_over(true);
        }
        let row_error = rows.error.take();
        drop(rows);
        match (failure, row_error) {
            (Some(error), _) => Err(error),
            (None, Some(error)) => Err(error.into()),
            (None, None) => Ok(()),
        }
    }
}

/// Consecutive pieces of about a row group's bytes. What is compressed or of unknown size may be
/// large: it stands alone unless it is small.
pub(crate) fn units(plan: &crate::scan::plan::ScanPlan, pieces: &[Piece]) -> Vec<Range<usize>> {
    const COMPRESSED: u64 = 16;
    let mut units: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (index, piece) in pieces.iter().enumerate() {
        let planned = &plan.objects[piece.object];
        let size = match piece.range {
            Some((from, end)) => end - from,
            None => {
                planned.object.size.unwrap_or(GROUP)
                    * if planned.compression.is_some() {
                        COMPRESSED
                    } else {
                        1
                    }
            }
        };
        match units.last_mut() {
            Some(unit) if bytes + size <= GROUP => {
                unit.end = index + 1;
                bytes += size;
            }
            _ => {
                units.push(index..index + 1);
                bytes = size;
            }
        }
    }
    units
}

/// Raw logs: every thread encodes a unit at a time, this one writes what they send, in order.
fn write_logs(engine: &Engine, writer: &mut Writer<'_>, parquet: SchemaDescPtr) -> Result<u64> {
    let plan = &engine.logs;
    let pieces = plan.pieces(GROUP, true);
    let units = units(plan, &pieces);
    let accounts = Accounts::new(plan.accounts(), pieces.len());
    engine
        .ledger()
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Arc::clone(&accounts));
    let newlines = Newlines::new(pieces.len());
    let seen = Arc::new(Seen::new(plan.options.dedup));
    let threads = engine.options.threads.max(1);
    let shared = Shared {
        work: Work {
            objects: &plan.objects,
            options: &plan.options,
            pieces: &pieces,
            chunk: CHUNK,
            stores: &plan.stores,
            lines: true,
            counted: false,
            seen: &seen,
            newlines: &newlines,
        },
        units,
        schema: parquet,
        accounts,
        next: AtomicUsize::new(0),
        stopped: AtomicBool::new(false),
        cancelled: engine.cancelled(),
        writing: Mutex::new(0),
        moved: Condvar::new(),
        queues: Mutex::default(),
        taken: Condvar::new(),
        ahead: threads * 2,
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| shared.encode(engine.options.window));
        }
        let written = (|| -> Result<u64> {
            let mut rows = 0;
            for index in 0..shared.units.len() {
                for group in shared.queue(index) {
                    rows += group?.append(writer)?;
                }
                if shared.cancelled.load(Ordering::Relaxed) {
                    return Err(ErrorKind::Interrupted.into());
                }
                shared.done(index);
            }
            Ok(rows)
        })();
        // Whoever waits for the writer, or to send to it, learns that it has stopped.
        shared.stop();
        shared
            .queues
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        written
    })
}
