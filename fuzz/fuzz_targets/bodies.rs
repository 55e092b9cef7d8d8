//! Any text through every function of our own: no panic, no endless loop.
#![no_main]

use auditql_engine::stages;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (first, second) = text.split_once('\n').unwrap_or((text, "pods"));
    stages::every_function(first, second);
});
