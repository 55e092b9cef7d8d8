//! What bears the marks of an audit event is an event or a reject, never a skip: the bytes say in which
//! JSON, text and encodings an event is wrapped, and what stands around it.
#![no_main]

use auditql_engine::stages;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use libfuzzer_sys::fuzz_target;
use std::io::Write as _;

const EVENT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"i","stage":"ResponseComplete","requestURI":"/api/v1/pods","verb":"list","user":{"username":"jane"},"requestReceivedTimestamp":"2026-11-20T10:00:01.123456Z","stageTimestamp":"2026-11-20T10:00:01.234567Z"}"#;
/// More than the layers that are looked into is an attack.
const MOST_LAYERS: usize = 5;
/// Longer text around an event is another record's.
const LONGEST_TEXT: usize = 60;

fuzz_target!(|data: &[u8]| {
    let Some((&[spelling, encoding, chunk], mut rest)) = data.split_first_chunk::<3>() else { return };
    let mut record = respelled(EVENT, spelling);
    for _ in 0..MOST_LAYERS {
        let Some((&layer, after)) = rest.split_first() else { break };
        rest = after;
        record = wrapped(&record, layer, &mut rest);
    }
    record.push('\n');
    let log = encoded(record.as_bytes(), encoding);
    for chunk in [1 << 20, usize::from(chunk) + 1] {
        let (_, account) = stages::verdicts(&log, &[], chunk, 16 << 20);
        let rejects: u64 = account.rejects.values().sum();
        assert!(account.events + rejects > 0, "{record}: {:?}", account.skipped);
    }
});

/// `inside` is JSON; so is what comes out. Text around it is taken from `rest`.
fn wrapped(inside: &str, layer: u8, rest: &mut &[u8]) -> String {
    let string = |text: &str| serde_json::Value::from(text).to_string();
    match layer % 12 {
        0 => {
            let (name, beside, value) = (word(rest), word(rest), word(rest));
            // Of two members with one name the last counts, and the first is no event.
            let beside = if beside == name { format!("{beside}-") } else { beside };
            format!("{{{}:{},{}:{inside}}}", string(&beside), string(&value), string(&name))
        }
        1 => format!("[{inside}]"),
        2 => format!("[0,null,{inside},{}]", string(&word(rest))),
        3 => string(inside),
        4 => string(&STANDARD.encode(inside)),
        5 => string(&URL_SAFE_NO_PAD.encode(inside)),
        6 => {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            let _ = packed.write_all(inside.as_bytes());
            string(&STANDARD.encode(packed.finish().unwrap_or_default()))
        }
        7 => {
            let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            let _ = packed.write_all(inside.as_bytes());
            string(&STANDARD.encode(packed.finish().unwrap_or_default()))
        }
        8 => format!("{:?}", inside.as_bytes()),
        9 => {
            let wide: Vec<u8> = inside.encode_utf16().flat_map(u16::to_le_bytes).collect();
            string(&STANDARD.encode(wide))
        }
        10 => string(&format!("{} {inside}", word(rest))),
        _ => format!("{{{}:{{{}:{inside}}}}}", string(&word(rest)), string(&word(rest))),
    }
}

/// Text from the bytes: the first says how long it is.
fn word(rest: &mut &[u8]) -> String {
    let Some((&length, after)) = rest.split_first() else { return String::new() };
    let length = (usize::from(length) % LONGEST_TEXT).min(after.len());
    let (text, after) = after.split_at(length);
    *rest = after;
    String::from_utf8_lossy(text).into_owned()
}

/// The names of members in other spellings that mean the same.
fn respelled(event: &str, spelling: u8) -> String {
    let names = [("auditID", "audit_id"), ("requestURI", "request_uri"), ("stage", "stage"), ("stageTimestamp", "stage_timestamp")];
    let mut text = event.to_owned();
    for (name, snake) in names {
        let other = match spelling % 4 {
            0 => name.to_owned(),
            1 => snake.to_owned(),
            2 => name[..1].to_uppercase() + &name[1..],
            _ => name.to_lowercase(),
        };
        text = text.replace(&format!("\"{name}\""), &format!("\"{other}\""));
    }
    if spelling & 4 != 0 {
        text = text.replace("audit.k8s.io/v1", "v1");
    }
    text
}

/// The log as a file may hold it.
fn encoded(log: &[u8], encoding: u8) -> Vec<u8> {
    let text = String::from_utf8_lossy(log);
    match encoding % 4 {
        0 => log.to_vec(),
        1 => {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            let _ = packed.write_all(log);
            packed.finish().unwrap_or_default()
        }
        2 => [&[0xff, 0xfe][..], &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()].concat(),
        _ => [b"\xef\xbb\xbf", log].concat(),
    }
}
