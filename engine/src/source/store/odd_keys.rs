//! A page of a listing in; out comes the same page without the keys that `object_store` refuses to
//! list, and these keys beside it.
//!
//! A single key with an empty, `.` or `..` part or a control character makes `object_store` refuse
//! the whole listing, and it silently drops a leading `/`. Such keys are common: a CloudWatch
//! export whose prefix ends in `/` writes `prefix//task/…`. They are cut out of the page. Those
//! with empty parts between others can be read all the same ([`spelled`]), and are listed from
//! here; the rest is remembered, so that it can be reported. Folder markers (empty objects whose key
//! ends in `/`) are cut out as well.
//!
//! Not responsible for: fetching pages (`connector.rs`), reporting the keys (`listing.rs`).

use std::{mem, ops::Range, sync::Arc};

use bytes::Bytes;
use object_store::{
    ObjectMeta,
    path::{Path, PathPart},
};
use parking_lot::Mutex;
use quick_xml::events::Event;

use super::prefix_listing::PrefixListing;
use super::xml::{first_element, first_text, reader};

/// The keys that one listing had to leave out.
#[derive(Debug, Clone, Default)]
pub(super) struct OddKeys(Arc<Mutex<OddKeyLists>>);

#[derive(Debug, Default)]
struct OddKeyLists {
    keys: Vec<String>,
    folders: Vec<String>,
}

/// What was cut out of one page. It travels with the request for the page as an extension.
#[derive(Debug, Clone, Default)]
pub(super) struct SiftedPage(Arc<Mutex<SiftedKeys>>);

#[derive(Debug, Default)]
struct SiftedKeys {
    odd: OddKeyLists,
    /// What has empty parts and can be read.
    gapped: PrefixListing,
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
}

impl SiftedPage {
    /// What can be read of what was cut out; the rest is remembered as odd.
    pub(super) fn take(&self, odd_keys: &OddKeys) -> PrefixListing {
        let SiftedKeys { odd, gapped } = mem::take(&mut *self.0.lock());
        let mut all = odd_keys.0.lock();
        all.keys.extend(odd.keys);
        all.folders.extend(odd.folders);
        gapped
    }

    /// Cuts out of a page what `object_store` refuses. Everything else stays byte for byte. A page
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
        let mut sifted = self.0.lock();
        // The same page may have come before, and broken off after that.
        *sifted = SiftedKeys::default();
        let mut kept = String::new();
        let mut end = 0;
        for entry in entries {
            if !sifted.admit(&entry) {
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

impl SiftedKeys {
    /// Decides whether an entry stays on the page, and remembers it if not.
    fn admit(&mut self, entry: &ListedEntry) -> bool {
        let key = &entry.key;
        if !entry.is_folder && entry.size == Some(0) && key.ends_with('/') {
            return false;
        }
        // A folder may well have empty parts at its end: its objects do not.
        let name = match entry.is_folder {
            true => key.trim_end_matches('/'),
            false => key,
        };
        let location = spelled(name).filter(|_| !entry.is_encoded);
        let is_gapped = key.contains("//");
        match location {
            Some(_) if !is_gapped => return true,
            Some(_) if entry.is_folder => self.gapped.folders.push(key.clone()),
            Some(location) if entry.size.is_some() => self.gapped.objects.push(ObjectMeta {
                location,
                last_modified: Default::default(),
                size: entry.size.unwrap_or_default(),
                e_tag: entry.etag.clone(),
                version: None,
            }),
            _ if entry.is_folder => self.odd.folders.push(key.clone()),
            _ => self.odd.keys.push(key.clone()),
        }
        false
    }
}

/// Can this key not be addressed by `object_store`, whatever is done?
pub(super) fn is_odd(key: &str) -> bool {
    key.is_empty()
        || key.starts_with('/')
        || key.ends_with('/')
        || key.split('/').any(|part| matches!(part, "." | ".."))
        || key.chars().any(|char| char.is_ascii_control())
}

/// Has the key an empty part, so that `object_store` lists none that it is among?
pub(super) fn has_gaps(key: &str) -> bool {
    key.contains("//")
}

/// The key as a path: letter by letter, with its empty parts, which `Path::parse` refuses. Never
/// through `Path::from`, which encodes it. `None` if the key is odd.
pub(super) fn spelled(key: &str) -> Option<Path> {
    if is_odd(key) {
        return None;
    }
    key.split('/').try_fold(Path::default(), |path, part| {
        PathPart::parse(part).ok().map(|part| path.join(part))
    })
}

/// An object or a folder on a page.
struct ListedEntry {
    /// Where its element is, tags included.
    span: Range<usize>,
    key: String,
    is_folder: bool,
    /// Azure percent-encodes names that XML cannot hold, and flags them.
    is_encoded: bool,
    /// Of an object.
    size: Option<u64>,
    etag: Option<String>,
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
        let text = |names: [&str; 2]| {
            let mut found = names.iter().filter_map(|name| first_text(inside, name));
            found.next().filter(|_| !is_folder)
        };
        // Only where they are needed.
        let is_special = key.text.ends_with('/') || has_gaps(&key.text);
        let size = is_special.then(|| text(["Size", "Content-Length"]));
        entries.push(ListedEntry {
            span: start..position(reader.buffer_position()),
            is_folder: *is_folder,
            is_encoded: key.has_flag("Encoded"),
            size: size.flatten().and_then(|size| size.trim().parse().ok()),
            etag: is_special.then(|| text(["ETag", "Etag"])).flatten(),
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
            entry("/lead//x", 3),
            entry("a//../b", 3),
            entry("./x", 4),
            entry("x&amp;/../y", 5),
            entry("c&#x1;d", 6),
            entry("logs/", 0),
            entry("full/", 7),
            entry("pct%20x", 0),
            folder("fine/"),
            folder("a//"),
            folder("a/.//"),
            folder("/"),
            "</ListBucketResult>".to_owned(),
        ];
        let (odd, sifted) = (OddKeys::default(), SiftedPage::default());
        let left = sifted.sift(page.concat().into());
        let kept = [
            entry("a b+c=d:e#f?.log", 1),
            entry("pct%20x", 0),
            folder("fine/"),
        ]
        .concat();
        let want = format!("<ListBucketResult><Name>b</Name>{kept}</ListBucketResult>");
        assert_eq!(std::str::from_utf8(&left).unwrap(), want);
        let gapped = sifted.take(&odd);
        assert_eq!(gapped.folders, ["a//"]);
        let objects: Vec<_> = gapped
            .objects
            .iter()
            .map(|object| (object.location.as_ref(), object.size))
            .collect();
        assert_eq!(objects, [("a//b", 2)]);
        let (keys, folders) = odd.take();
        let all = [
            "./x", "/lead", "/lead//x", "a//../b", "c\u{1}d", "full/", "x&/../y",
        ];
        assert_eq!(keys, all);
        assert_eq!(folders, ["/", "a/.//"]);
        assert_eq!(odd.take(), (Vec::new(), Vec::new()));
    }

    #[test]
    fn names_of_azure() {
        let blob = |name: &str| {
            format!(
                "<Blob>{name}<Properties><Etag>0x1</Etag><Content-Length>3</Content-Length></Properties></Blob>"
            )
        };
        let fine = blob("<Name>y=2026/m=11/PT1H.json</Name>");
        let page = format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Blobs>{fine}{}{}</Blobs>",
            blob("<Name Encoded=\"true\">a%EF%BF%BE</Name>"),
            blob("<Name>a//b</Name>")
        );
        let (odd, sifted) = (OddKeys::default(), SiftedPage::default());
        let want = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><Blobs>{fine}</Blobs>");
        assert_eq!(
            std::str::from_utf8(&sifted.sift(page.into())).unwrap(),
            want
        );
        let gapped = sifted.take(&odd).objects;
        assert_eq!(gapped[0].location.as_ref(), "a//b");
        assert_eq!(
            (gapped[0].size, gapped[0].e_tag.as_deref()),
            (3, Some("0x1"))
        );
        assert_eq!(odd.take().0, ["a%EF%BF%BE"]);
    }

    #[test]
    fn other_pages_stay_as_they_are() {
        let (odd, sifted) = (OddKeys::default(), SiftedPage::default());
        for page in [
            format!("<A>{}</A>", entry("fine", 1)),
            format!("<A>{}<Contents><Key>a//b</Ke", entry("a//b", 1)),
            "not XML".to_owned(),
        ] {
            assert_eq!(sifted.sift(page.clone().into()), page.as_bytes());
        }
        assert!(sifted.take(&odd).objects.is_empty() && !odd.is_any());
    }
}
