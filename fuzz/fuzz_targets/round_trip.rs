//! Events come back equal as JSON values from the columns, and reading what came back gives the
//! same columns again.
#![no_main]

use auditql_engine::stages;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // One event a line: what `serde_json` can read is what can be compared.
    for line in text.lines() {
        let Ok(original) = serde_json::from_str::<Value>(line) else { continue };
        let Ok(batches) = stages::all_batches(line.as_bytes()) else { continue };
        if batches.iter().map(|batch| batch.num_rows()).sum::<usize>() != 1 || !original.is_object() {
            continue;
        }
        let back = stages::json_lines(&batches).expect("batches of events");
        let value: Value = serde_json::from_slice(&back).expect("JSON comes back");
        assert_eq!(value, original);
        let again = stages::json_lines(&stages::all_batches(&back).expect("events again")).expect("batches of events");
        assert_eq!(again, back);
    }
});
