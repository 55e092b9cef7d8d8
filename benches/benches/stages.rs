//! The stages of a scan over a generated log in memory, one by one: where does the time go?
//!
//! `cargo bench -p auditql-benches`. Throughput is in decompressed bytes of the log. Each profile of
//! the generator is a group: `cargo bench -p auditql-benches -- large` runs one.

use std::hint::black_box;

use auditql_benches::Profile;
use auditql_engine::stages;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn log(profile: Profile, bytes: u64) -> Vec<u8> {
    let mut log = Vec::new();
    // Writing to memory does not fail.
    let _ = profile.generate(&mut log, bytes, 7);
    log
}

fn benches(criterion: &mut Criterion) {
    for profile in Profile::ALL {
        let log = log(profile, 32_000_000);
        let name = format!("stages, {profile:?}").to_lowercase();
        let mut group = criterion.benchmark_group(name);
        group
            .throughput(Throughput::Bytes(log.len() as u64))
            .sample_size(10);
        group.bench_function("skip containers", |bench| {
            bench.iter(|| stages::skip_containers(black_box(&log)))
        });
        group.bench_function("verdicts", |bench| {
            bench.iter(|| stages::verdicts(black_box(&log), &[], 512 << 10, 16 << 20))
        });
        group.bench_function("two columns", |bench| {
            bench.iter(|| stages::batches(black_box(&log), &["username", "verb"]))
        });
        group.bench_function("all columns", |bench| {
            bench.iter(|| stages::all_batches(black_box(&log)))
        });
        if let Ok(batches) = stages::all_batches(&log) {
            group.bench_function("events as JSON lines", |bench| {
                bench.iter(|| stages::json_lines(black_box(&batches)))
            });
        }
        group.finish();
    }
}

criterion_group!(stages_of_a_scan, benches);
criterion_main!(stages_of_a_scan);
