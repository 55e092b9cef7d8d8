//! Every line of a generated log is an event to the engine, whatever the profile.

use auditql_benches::Profile;
use auditql_engine::stages;

#[test]
fn every_line_is_an_event() -> Result<(), Box<dyn std::error::Error>> {
    for profile in Profile::ALL {
        let mut log = Vec::new();
        let summary = profile.generate(&mut log, 6_000_000, 7)?;
        let batches = stages::all_batches(&log)?;
        let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
        assert_eq!(rows as u64, summary.events, "{profile:?}");
    }
    Ok(())
}
