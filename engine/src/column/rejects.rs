//! Rejects in, a batch of the columns of `rejects` out.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, Int64Builder, RecordBatch, StringViewBuilder},
    error::ArrowError,
};

use crate::account::Reject;

/// The rows of rejects: the file, the source in a lake, and what was rejected.
///
/// # Errors
///
/// When the data model has other columns.
pub(crate) fn rejects_batch(
    rejects: impl Iterator<Item = (String, Option<String>, Reject)>,
) -> Result<RecordBatch, ArrowError> {
    let mut texts: [StringViewBuilder; 4] = Default::default();
    let (mut lines, mut offsets, mut sources) = (
        Int64Builder::new(),
        Int64Builder::new(),
        StringViewBuilder::new(),
    );
    for (file, source, reject) in rejects {
        let values = [&file[..], reject.reason, &reject.message, &reject.record];
        for (builder, value) in texts.iter_mut().zip(values) {
            builder.append_value(value);
        }
        lines.append_option(reject.line.map(|line| line as i64));
        offsets.append_value(reject.offset as i64);
        sources.append_option(source);
    }
    let [mut file, mut reason, mut message, mut record] = texts;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(file.finish()),
        Arc::new(lines.finish()),
        Arc::new(offsets.finish()),
        Arc::new(reason.finish()),
        Arc::new(message.finish()),
        Arc::new(record.finish()),
        Arc::new(sources.finish()),
    ];
    RecordBatch::try_new(crate::schema::rejects(), columns)
}
