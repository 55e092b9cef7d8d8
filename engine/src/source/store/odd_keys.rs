//! A page of a listing in; out comes the same page without the keys `object_store` cannot address.
//!
//! A single key with an empty, `.` or `..` part or a control character makes `object_store` refuse
//! the whole listing, and it silently drops a leading `/`. Such keys are common: a CloudWatch
//! export whose prefix ends in `/` writes `prefix//task/…`. These keys are cut out of the page and
//! remembered, so that they can be reported. Folder markers (empty objects whose key ends in `/`)
//! are cut out as well.
//!
//! Not responsible for: fetching pages (`connector.rs`), reporting the keys (`listing.rs`).

use std::{mem, ops::Range, sync::Arc};

use bytes::Bytes;
use parking_lot::Mutex;
use quick_xml::events::Event;

use super::xml::{first_element, first_text, reader};

/// The keys that one listing had to leave out. It travels with the listing's requests as an
/// extension.
#[derive(Debug, Clone, Default)]
pub(super) struct OddKeys(Arc<Mutex<OddKeyLists>>);

#[derive(Debug, Default)]
struct OddKeyLists {
    keys: Vec<String>,
    folders: Vec<String>,
}

impl OddKeys {
    /// Removes and returns the odd keys, and the odd folders, which were not listed.
    pub(super) fn take(&self) -> (Vec<String>, Vec<String>) {
        let mut taken = mem::take(&mut *self.0.lock());
        for list in [&mut taken.keys, &mut taken.folders] {
            list.sort();
            list.dedup();
        }
        (taken.keys, taken.folders)
    }

    /// Are there any?
    pub(super) fn is_any(&self) -> bool {
        let odd = self.0.lock();
        !odd.keys.is_empty() || !odd.folders.is_empty()
    }

    /// Cuts odd keys out of a page and remembers them. Everything else stays byte for byte. A page
    /// that is not XML is returned as it is: `object_store` reports it.
    pub(super) fn sift(&self, page: Bytes) -> Bytes {
        let Ok(text) = std::str::from_utf8(&page) else {
            return page;
        };
        // Azure writes a byte order mark; the reader does not count it in its positions.
        let text = text.trim_start_matches('\u{feff}');
        let Ok(entries) = entries_of(text) else {
            return page;
        };
        let mut odd = self.0.lock();
        let mut kept = String::new();
        let mut end = 0;
        for entry in entries {
            if !odd.admit(&entry) {
                kept.push_str(text.get(end..entry.span.start).unwrap_or_default());
                end = entry.span.end;
            }
        }
        if end == 0 {
            return page;
        }
        kept.push_str(text.get(end..).unwrap_or_default());
        kept.into()
    }
}

impl OddKeyLists {
    /// Decides whether an entry stays on the page, and remembers its key if it is odd.
    fn admit(&mut self, entry: &ListedEntry) -> bool {
        let key = &entry.key;
        if entry.is_folder {
            let stays = !entry.is_encoded && !is_odd(key.strip_suffix('/').unwrap_or(key));
            if !stays {
                self.folders.push(key.clone());
            }
            return stays;
        }
        if entry.is_empty && key.ends_with('/') {
            return false;
        }
        let stays = !entry.is_encoded && !is_odd(key);
        if !stays {
            self.keys.push(key.clone());
        }
        stays
    }
}

/// Is this a key that `object_store` cannot address?
pub(super) fn is_odd(key: &str) -> bool {
    key.split('/').any(|part| matches!(part, "" | "." | ".."))
        || key.chars().any(|char| char.is_ascii_control())
}

/// An object or a folder on a page.
struct ListedEntry {
    /// Where its element is, tags included.
    span: Range<usize>,
    key: String,
    is_folder: bool,
    /// Azure percent-encodes names that XML cannot hold, and flags them.
    is_encoded: bool,
    is_empty: bool,
}

/// The elements that stand for an entry, where its key is, and whether it is a folder. `Contents`
/// and `CommonPrefixes` are those of S3 and Cloud Storage, `Blob` and `BlobPrefix` those of Azure.
const ENTRIES: [(&str, &str, bool); 4] = [
    ("Contents", "Key", false),
    ("Blob", "Name", false),
    ("CommonPrefixes", "Prefix", true),
    ("BlobPrefix", "Name", true),
];

fn entries_of(page: &str) -> quick_xml::Result<Vec<ListedEntry>> {
    let mut reader = reader(page);
    let mut entries = Vec::new();
    loop {
        let start = position(reader.buffer_position());
        let tag = match reader.read_event()? {
            Event::Start(tag) => tag,
            Event::Eof => return Ok(entries),
            _ => continue,
        };
        let Some((_, name, is_folder)) = ENTRIES
            .iter()
            .find(|(element, ..)| element.as_bytes() == tag.name().as_ref())
        else {
            continue;
        };
        let inside = reader.read_to_end(tag.name())?;
        let inside = page
            .get(position(inside.start)..position(inside.end))
            .unwrap_or_default();
        let Some(key) = first_element(inside, name) else {
            continue;
        };
        let is_zero = |size| first_text(inside, size).is_some_and(|size| size.trim() == "0");
        entries.push(ListedEntry {
            span: start..position(reader.buffer_position()),
            is_folder: *is_folder,
            is_encoded: key.has_flag("Encoded"),
            is_empty: !is_folder
                && key.text.ends_with('/')
                && (is_zero("Size") || is_zero("Content-Length")),
            key: key.text,
        });
    }
}

/// Positions in a page fit, because the page is in memory.
fn position(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, size: usize) -> String {
        format!("<Contents><Key>{key}</Key><Size>{size}</Size></Contents>")
    }

    #[test]
    fn odd_keys_leave_the_page() {
        let folder =
            |name: &str| format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>");
        let page = [
            "<ListBucketResult><Name>b</Name>".to_owned(),
            entry("a b+c=d:e#f?.log", 1),
            entry("a//b", 2),
            entry("/lead", 3),
            entry("./x", 4),
            entry("x&amp;/../y", 5),
            entry("c&#x1;d", 6),
            entry("logs/", 0),
            entry("full/", 7),
            entry("pct%20x", 0),
            folder("fine/"),
            folder("a//"),
            folder("/"),
            "</ListBucketResult>".to_owned(),
        ];
        let odd = OddKeys::default();
        let sifted = odd.sift(page.concat().into());
        let kept = [
            entry("a b+c=d:e#f?.log", 1),
            entry("pct%20x", 0),
            folder("fine/"),
        ]
        .concat();
        let want = format!("<ListBucketResult><Name>b</Name>{kept}</ListBucketResult>");
        assert_eq!(std::str::from_utf8(&sifted).unwrap(), want);
        let (keys, folders) = odd.take();
        assert_eq!(
            keys,
            ["./x", "/lead", "a//b", "c\u{1}d", "full/", "x&/../y"]
        );
        assert_eq!(folders, ["/", "a//"]);
        assert_eq!(odd.take(), (Vec::new(), Vec::new()));
    }

    #[test]
    fn names_of_azure() {
        let blob = |name: &str| {
            format!(
                "<Blob>{name}<Properties><Content-Length>3</Content-Length></Properties></Blob>"
            )
        };
        let fine = blob("<Name>y=2026/m=11/PT1H.json</Name>");
        let page = format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Blobs>{fine}{}{}</Blobs>",
            blob("<Name Encoded=\"true\">a%EF%BF%BE</Name>"),
            blob("<Name>a//b</Name>")
        );
        let odd = OddKeys::default();
        let want = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><Blobs>{fine}</Blobs>");
        assert_eq!(std::str::from_utf8(&odd.sift(page.into())).unwrap(), want);
        assert_eq!(odd.take().0, ["a%EF%BF%BE", "a//b"]);
    }

    #[test]
    fn other_pages_stay_as_they_are() {
        let odd = OddKeys::default();
        for page in [
            format!("<A>{}</A>", entry("fine", 1)),
            format!("<A>{}<Contents><Key>a//b</Ke", entry("a//b", 1)),
            "not XML".to_owned(),
        ] {
            assert_eq!(odd.sift(page.clone().into()), page.as_bytes());
        }
        assert!(!odd.is_any());
    }
}
