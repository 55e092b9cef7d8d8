//! Events in, one Parquet file out. Raw logs are encoded by several threads, a row group each; the groups stand in the file in the
//! order of the input.
//!
//! The file says what any Parquet reader understands: no Arrow schema of our own, no unsigned integers, strings as `STRING`,
//! times as UTC microseconds.

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
            arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves},
        },
        basic::{Compression, ZstdLevel},
        errors::ParquetError,
        file::{
            metadata::KeyValue,
            properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr},
            writer::SerializedFileWriter,
        },
        schema::types::ColumnPath,
    },
};
use futures::StreamExt;

use super::rows::Batches;
use crate::{
    Engine, Error, ErrorKind, Result,
    batch::BatchBuilder,
    scan::{
        plan::Piece,
        report::Accounts,
        worker::{Collector, Memory, Newlines, Work},
    },
    schema,
};

/// Decompressed bytes of the input that become one row group: large enough to compress well, small enough to hold several.
const GROUP: u64 = 64 << 20;
/// Bytes of a chunk.
const CHUNK: usize = 512 << 10;
/// Bytes of a page before compression: buffers of this size are used again, larger ones come fresh from the system each time.
const PAGE: usize = 256 << 10;

type Writer<'f> = SerializedFileWriter<BufWriter<&'f mut File>>;

/// How the file is written. Measured in `benches/README.md`.
fn properties() -> WriterPropertiesPtr {
    let text = |name: &str| ColumnPath::from(name);
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("auditql ", env!("CARGO_PKG_VERSION")).to_owned())
        // Lists' items are called `element`, as the Parquet specification and Delta call them.
        .set_coerce_types(true)
        .set_data_page_size_limit(PAGE)
        .set_key_value_metadata(Some(vec![KeyValue::new("auditql.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]));
    // No two bodies are alike, and nobody looks for the least of them.
    for body in ["request_object", "response_object", "unknown_fields", "response_details"] {
        properties =
            properties.set_column_dictionary_enabled(text(body), false).set_column_statistics_enabled(text(body), EnabledStatistics::None);
    }
    // Ids are unique: a dictionary of them is a second copy; a bloom filter finds one without reading a page.
    for id in ["audit_id", "source_offset", "event_bytes", "source_line"] {
        properties = properties.set_column_dictionary_enabled(text(id), false);
    }
    properties =
        properties.set_column_bloom_filter_enabled(text("audit_id"), true).set_column_bloom_filter_max_ndv(text("audit_id"), 50_000);
    Arc::new(properties.build())
}

pub(super) async fn write(engine: &Engine, file: &mut File, to: &str) -> Result<u64> {
    let arrow = schema::events();
    let parquet = ArrowSchemaConverter::new().with_coerce_types(true).convert(&arrow)?;
    let root = parquet.root_schema_ptr();
    let mut writer: Writer<'_> = SerializedFileWriter::new(BufWriter::with_capacity(1 << 20, file), root, properties())?;
    let rows = if engine.has_parquet() {
        write_query(engine, &mut writer).await
    } else {
        engine.ledger().lock().unwrap_or_else(PoisonError::into_inner).clear();
        write_logs(engine, &mut writer)
    };
    let fail = |error: Error| match error.kind() {
        ErrorKind::Sql(message) => ErrorKind::Output { path: to.to_owned(), source: std::io::Error::other(message.clone()) }.into(),
        _ => error,
    };
    let rows = rows.map_err(fail)?;
    writer.finish().map_err(|error| fail(error.into()))?;
    Ok(rows)
}

/// The columns of one row group while it is encoded.
struct Group {
    columns: Vec<ArrowColumnWriter>,
    rows: u64,
}

/// An encoded row group.
struct Encoded {
    columns: Vec<ArrowColumnChunk>,
    rows: u64,
}

impl Group {
    fn new(factory: &ArrowRowGroupWriterFactory) -> Result<Self, ParquetError> {
        Ok(Self { columns: factory.create_column_writers(0)?, rows: 0 })
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

    fn close(self) -> Result<Encoded, ParquetError> {
        let columns = self.columns.into_iter().map(ArrowColumnWriter::close).collect::<Result<_, _>>()?;
        Ok(Encoded { columns, rows: self.rows })
    }
}

fn append(writer: &mut Writer<'_>, group: Encoded) -> Result<u64, ParquetError> {
    let mut target = writer.next_row_group()?;
    for column in group.columns {
        column.append_to_row_group(&mut target)?;
    }
    target.close()?;
    Ok(group.rows)
}

/// Inputs that are Parquet, or a mixture, go through a query; one thread encodes.
async fn write_query(engine: &Engine, writer: &mut Writer<'_>) -> Result<u64> {
    let factory = ArrowRowGroupWriterFactory::new(writer, schema::events());
    let mut answer = engine.sql("SELECT * FROM events").await?;
    let (mut group, mut bytes, mut rows) = (Group::new(&factory)?, 0, 0);
    while let Some(batch) = answer.next().await {
        let batch = batch?;
        bytes += datafusion::physical_plan::spill::get_record_batch_memory_size(&batch) as u64;
        group.write(&batch)?;
        if bytes >= GROUP {
            rows += append(writer, std::mem::replace(&mut group, Group::new(&factory)?).close()?)?;
            bytes = 0;
        }
    }
    if group.rows > 0 {
        rows += append(writer, group.close()?)?;
    }
    Ok(rows)
}

/// What the encoding threads share.
struct Shared<'s> {
    work: Work<'s>,
    /// Consecutive pieces that become row groups together: small files share one.
    units: Vec<Range<usize>>,
    factory: ArrowRowGroupWriterFactory,
    accounts: Arc<Accounts>,
    next: AtomicUsize,
    stopped: AtomicBool,
    /// The user wants no more.
    cancelled: &'s AtomicBool,
    /// The piece whose groups are written now: nobody runs far ahead of it.
    writing: Mutex<usize>,
    moved: Condvar,
    /// The queues of the pieces that were taken.
    queues: Mutex<BTreeMap<usize, Receiver<Result<Encoded>>>>,
    taken: Condvar,
    ahead: usize,
}

impl Shared<'_> {
    /// Takes the next piece, once the writer is near enough.
    fn take(&self) -> Option<(usize, SyncSender<Result<Encoded>>)> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        if index >= self.units.len() {
            return None;
        }
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        while index >= *writing + self.ahead && !self.stopped() {
            writing = self.moved.wait(writing).unwrap_or_else(PoisonError::into_inner);
        }
        drop(writing);
        // A cancelled run still hands over the queue of the piece, so that the writer does not wait for it.
        if self.stopped.load(Ordering::Relaxed) {
            return None;
        }
        let (sender, receiver) = sync_channel(2);
        self.queues.lock().unwrap_or_else(PoisonError::into_inner).insert(index, receiver);
        self.taken.notify_all();
        Some((index, sender))
    }

    /// The queue of a piece, once somebody has taken it.
    fn queue(&self, index: usize) -> Receiver<Result<Encoded>> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(queue) = queues.remove(&index) {
                return queue;
            }
            queues = self.taken.wait(queues).unwrap_or_else(PoisonError::into_inner);
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
        let mut memory = Memory::default();
        while let Some((index, sender)) = self.take() {
            // A panic that only dropped the sender would look like the end of the piece, and lose its rows.
            let encoded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.encode_piece(index, &sender, window, &mut memory)));
            // A unit that was left early: its other pieces are not read any more, and nobody must wait for their newlines.
            self.units[index].clone().for_each(|piece| self.work.newlines.publish(piece, 0));
            let encoded = encoded.unwrap_or_else(|_| Err(ErrorKind::Internal("encoding a row group failed".to_owned()).into()));
            if let Err(error) = encoded {
                let _ = sender.send(Err(error));
            }
        }
    }

    fn encode_piece(
        &self,
        index: usize,
        sender: &SyncSender<Result<Encoded>>,
        window: crate::table::Window,
        memory: &mut Memory,
    ) -> Result<()> {
        let builder = BatchBuilder::new(schema::packed_events())?;
        let mut group = Some(Group::new(&self.factory)?);
        let mut failure: Option<Error> = None;
        let mut bytes: u64 = 0;
        let take = |batch: RecordBatch| {
            let written = (|| -> Result<bool> {
                let Some(open) = &mut group else { return Ok(false) };
                open.write(&batch)?;
                bytes += batch_bytes(&batch);
                if bytes >= GROUP + GROUP / 4 {
                    bytes = 0;
                    if let Some(full) = group.replace(Group::new(&self.factory)?) {
                        return Ok(sender.send(Ok(full.close()?)).is_ok());
                    }
                }
                Ok(true)
            })();
            match written {
                Ok(true) if !self.stopped() => ControlFlow::Continue(()),
                Ok(_) => ControlFlow::Break(()),
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            }
        };
        let mut batches = Batches::new(builder, window, self.work.options.cluster.clone(), take);
        let mut flow = ControlFlow::Continue(());
        for piece in self.units[index].clone() {
            let (tally, done) = self.work.run(piece, &mut batches, memory);
            self.accounts.merge(self.work.pieces[piece].object, tally);
            flow = done;
            if flow.is_break() {
                break;
            }
            self.accounts.finish_piece();
        }
        if flow.is_continue() {
            let _ = batches.hand_over(true);
        }
        let batch_error = batches.error.take();
        drop(batches);
        if let Some(error) = failure {
            return Err(error);
        }
        if let Some(error) = batch_error {
            return Err(error.into());
        }
        match group {
            Some(group) if group.rows > 0 => {
                let _ = sender.send(Ok(group.close()?));
            }
            _ => {}
        }
        Ok(())
    }
}

/// The decompressed bytes of the events of a batch.
fn batch_bytes(batch: &RecordBatch) -> u64 {
    use datafusion::arrow::{array::AsArray, datatypes::Int64Type};
    batch
        .column_by_name("event_bytes")
        .and_then(|array| array.as_primitive_opt::<Int64Type>())
        .map_or(0, |array| array.iter().flatten().map(|bytes| bytes as u64).sum())
}

/// Consecutive pieces of about a row group's bytes. What is compressed or of unknown size may be large: it stands alone unless it is small.
fn units(plan: &crate::scan::plan::ScanPlan, pieces: &[Piece]) -> Vec<Range<usize>> {
    const COMPRESSED: u64 = 16;
    let mut units: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (index, piece) in pieces.iter().enumerate() {
        let planned = &plan.objects[piece.object];
        let size = match piece.range {
            Some((from, end)) => end - from,
            None => planned.object.size.unwrap_or(GROUP) * if planned.compression.is_some() { COMPRESSED } else { 1 },
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
fn write_logs(engine: &Engine, writer: &mut Writer<'_>) -> Result<u64> {
    let plan = &engine.logs;
    let pieces = plan.pieces(GROUP);
    let units = units(plan, &pieces);
    let accounts = Accounts::new(plan.accounts(), pieces.len());
    engine.ledger().lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&accounts));
    let newlines = Newlines::new(pieces.len());
    let seen = plan.options.dedup.then(Arc::default);
    let threads = engine.options.threads.max(1);
    let shared = Shared {
        work: Work {
            objects: &plan.objects,
            options: &plan.options,
            pieces: &pieces,
            chunk: CHUNK,
            lines: true,
            seen: seen.as_ref(),
            newlines: &newlines,
        },
        units,
        factory: ArrowRowGroupWriterFactory::new(writer, schema::packed_events()),
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
                    rows += append(writer, group?)?;
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
        shared.queues.lock().unwrap_or_else(PoisonError::into_inner).clear();
        written
    })
}
