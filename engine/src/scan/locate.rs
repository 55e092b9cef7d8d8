//! The lines of the rejects that are told in messages: offsets in, lines out.
//!
//! Counting lines costs a pass over the file, so a scan counts them only when a query asks. For the
//! few rejects that are shown the file is read once more, up to each of them.

use super::open::OpenScan;
use super::piece::count_newlines;
use crate::account::ScanReport;
use crate::source::object::Location;

/// Counts the lines of the samples in `report`, whose first inputs are those of `scan`.
pub(crate) fn locate_samples(scan: &OpenScan, report: &mut ScanReport) {
    for (index, input) in report.inputs.iter_mut().enumerate() {
        let Some(planned) = scan.plan.objects.get(index) else {
            return;
        };
        let is_remote = matches!(planned.object.location, Location::Store(_));
        if planned.compression.is_some() || planned.failure.is_some() || is_remote {
            continue;
        }
        let (mut at, mut line) = (0, 1);
        for sample in &mut input.tally.samples {
            if sample.line.is_some() || sample.offset < at {
                continue;
            }
            // A stream that was read once has no lines any more.
            let Ok(mut file) = scan.object(index).file() else {
                break;
            };
            line += count_newlines(&mut file, at, sample.offset).unwrap_or(0);
            at = sample.offset;
            sample.line = Some(line);
        }
    }
}
