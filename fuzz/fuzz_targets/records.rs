//! Any bytes as a log: no panic, every record counted, and the same verdict for every split, chunk
//! size and projection.
#![no_main]

use auditql_engine::stages;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&[a, b, c, d], log)) = data.split_first_chunk::<4>() else { return };
    let (whole, account) = stages::verdicts(log, &[], 1 << 20, 4096);
    let events = whole.iter().filter(|verdict| verdict.what == "event").count() as u64;
    assert_eq!(account.events, events);
    assert_eq!(account.rejects.values().sum::<u64>(), whole.len() as u64 - events);
    let split = |byte: u8| u64::from(byte) * log.len() as u64 / 256;
    let (split_up, split_account) = stages::verdicts(log, &[split(a), split(b), split(c)], usize::from(d) + 1, 4096);
    assert_eq!(split_up, whole);
    assert_eq!((split_account.rejects, split_account.skipped), (account.rejects, account.skipped));
    let narrow: usize = stages::batches(log, &["stage", "authz_reason"]).map_or(0, |batches| batches.iter().map(|batch| batch.num_rows()).sum());
    let wide: usize = stages::all_batches(log).map_or(0, |batches| batches.iter().map(|batch| batch.num_rows()).sum());
    assert_eq!(narrow, wide);
});
