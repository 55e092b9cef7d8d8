//! What bears the marks of an event is an event or a reject: an event in any wrapping in, a record
//! that is never skipped out.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use std::io::Write as _;

use super::*;

const EVENT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"i","stage":"ResponseComplete","requestURI":"/api/v1/pods","verb":"list","user":{"username":"jane"},"requestReceivedTimestamp":"2026-11-20T10:00:01.123456Z","stageTimestamp":"2026-11-20T10:00:01.234567Z"}"#;

/// One layer around an event.
#[derive(Debug, Clone)]
enum Layer {
    Member(String, Vec<(String, String)>),
    Element(usize),
    Text,
    Base64,
    UrlBase64,
    Gzip,
    Zlib,
    Zstd,
    Bytes,
    Utf16,
    Prefix(String),
}

impl Layer {
    /// `inside` is JSON; so is what comes out.
    fn around(&self, inside: &str) -> String {
        let text = |text: &str| serde_json::to_string(text).unwrap();
        match self {
            Self::Member(name, beside) => {
                let mut members: Vec<String> = beside
                    .iter()
                    .map(|(name, value)| format!("{}:{}", text(name), text(value)))
                    .collect();
                members.push(format!("{}:{inside}", text(name)));
                format!("{{{}}}", members.join(","))
            }
            Self::Element(before) => format!("[{}{inside}]", "0,".repeat(*before)),
            Self::Text => text(inside),
            Self::Base64 => text(&STANDARD.encode(inside)),
            Self::UrlBase64 => text(&URL_SAFE_NO_PAD.encode(inside)),
            Self::Gzip => {
                let level = flate2::Compression::fast();
                let mut packed = flate2::write::GzEncoder::new(Vec::new(), level);
                packed.write_all(inside.as_bytes()).unwrap();
                text(&STANDARD.encode(packed.finish().unwrap()))
            }
            Self::Zlib => {
                let level = flate2::Compression::default();
                let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), level);
                packed.write_all(inside.as_bytes()).unwrap();
                text(&STANDARD.encode(packed.finish().unwrap()))
            }
            Self::Zstd => {
                let packed = zstd::encode_all(inside.as_bytes(), 1).unwrap();
                text(&STANDARD.encode(packed))
            }
            Self::Bytes => format!("{:?}", inside.as_bytes()),
            Self::Utf16 => {
                let wide: Vec<u8> = inside.encode_utf16().flat_map(u16::to_le_bytes).collect();
                text(&STANDARD.encode(wide))
            }
            Self::Prefix(prefix) => text(&format!("{prefix} {inside}")),
        }
    }
}

fn layer() -> impl Strategy<Value = Layer> {
    let beside = proptest::collection::vec(("[a-z@_.]{1,9}", "[ -~]{0,20}"), 0..4);
    prop_oneof![
        3 => ("[a-zA-Z@_.-]{1,12}", beside).prop_map(|(name, all)| Layer::Member(name, all)),
        2 => (0..3_usize).prop_map(Layer::Element),
        2 => Just(Layer::Text),
        1 => Just(Layer::Base64),
        1 => Just(Layer::UrlBase64),
        1 => Just(Layer::Gzip),
        1 => Just(Layer::Zlib),
        1 => Just(Layer::Zstd),
        1 => Just(Layer::Bytes),
        1 => Just(Layer::Utf16),
        1 => "[a-zA-Z0-9:./ -]{0,40}".prop_map(Layer::Prefix),
    ]
}

/// The names of the members in another spelling.
fn respelled(event: &str, spelling: usize) -> String {
    let names = [
        "auditID",
        "apiVersion",
        "requestURI",
        "stageTimestamp",
        "stage",
    ];
    let mut text = event.to_owned();
    for name in names {
        let mut snake = String::new();
        for (at, letter) in name.char_indices() {
            let begins = letter.is_uppercase() && !name[..at].ends_with(char::is_uppercase);
            if begins {
                snake.push('_');
            }
            snake.push(letter.to_ascii_lowercase());
        }
        let other = match spelling {
            0 => name.to_owned(),
            1 => snake,
            2 => name[..1].to_uppercase() + &name[1..],
            3 => name.to_lowercase(),
            _ => snake.replace('_', "-"),
        };
        text = text.replace(&format!("\"{name}\""), &format!("\"{other}\""));
    }
    text
}

proptest! {
    #[test]
    fn an_event_is_never_skipped(
        layers in proptest::collection::vec(layer(), 0..5),
        spelling in 0..5_usize,
        typed: bool,
        encoding in 0..3_usize,
    ) {
        let mut record = respelled(EVENT, spelling);
        if !typed {
            record = record.replace("audit.k8s.io/v1", "v1");
        }
        for layer in &layers {
            record = layer.around(&record);
        }
        record.push('\n');
        let log = match encoding {
            0 => record.clone().into_bytes(),
            1 => zstd::encode_all(record.as_bytes(), 1).unwrap(),
            _ => {
                let wide = record.encode_utf16().flat_map(u16::to_le_bytes);
                [0xff, 0xfe].into_iter().chain(wide).collect()
            }
        };
        let (_, tally) = verdicts(&log, &[], 1 << 20, 16 << 20);
        let rejects: u64 = tally.rejects.values().sum();
        prop_assert!(tally.events + rejects > 0, "{record}: {:?}", tally.skipped);
    }
}
