//! A page of a listing in, the page without what `object_store` cannot hold out.
//!
//! One key with an empty, `.` or `..` part or a control character makes `object_store` refuse the
//! whole listing, and a leading `/` it takes away silently. Such keys are common: `prefix//task/…`
//! is what a CloudWatch export writes when its prefix ends in `/`. They are taken out of the page
//! and remembered, to be reported. Markers of folders (keys that end in `/`, of no bytes) are taken
//! out, too.
//!
//! Also the little XML that listings and WebDAV need. Not responsible for: what the entries mean.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// The keys that a listing could not hold. Travels with the requests of one listing, as an
/// extension.
#[derive(Debug, Clone, Default)]
pub(super) struct OddKeys(Arc<Mutex<Odd>>);

#[derive(Debug, Default)]
struct Odd {
    keys: Vec<String>,
    folders: Vec<String>,
}

impl OddKeys {
    /// The keys, and the folders that were met but not looked into; none are left.
    pub(super) fn take(&self) -> (Vec<String>, Vec<String>) {
        let mut odd = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = std::mem::take(&mut *odd);
        for list in [&mut taken.keys, &mut taken.folders] {
            list.sort();
            list.dedup();
        }
        (taken.keys, taken.folders)
    }

    /// Is there any?
    pub(super) fn is_any(&self) -> bool {
        let odd = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !odd.keys.is_empty() || !odd.folders.is_empty()
    }

    /// Remembers what is odd among the entries of a page; the rest of the page stays as it is.
    pub(super) fn sift(&self, page: Bytes) -> Bytes {
        let Ok(text) = std::str::from_utf8(&page) else {
            return page;
        };
        let mut odd = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sifted: Option<String> = None;
        for (entry, name, is_folder) in [
            ("Contents", "Key", false),
            ("Blob", "Name", false),
            ("CommonPrefixes", "Prefix", true),
            ("BlobPrefix", "Name", true),
        ] {
            let current = sifted.as_deref().unwrap_or(text);
            let kept = without(current, entry, |inside| match key_of(inside, name) {
                Some(key) if is_folder => odd.folder(key),
                Some(key) => odd.key(key, is_empty(inside)),
                None => true,
            });
            if kept.is_some() {
                sifted = kept;
            }
        }
        sifted.map_or(page, Bytes::from)
    }
}

impl Odd {
    /// Can this key stay on the page?
    fn key(&mut self, key: Key, is_empty: bool) -> bool {
        if key.text.ends_with('/') && is_empty {
            return false;
        }
        let stays = !key.encoded && !is_odd(&key.text);
        if !stays {
            self.keys.push(key.text);
        }
        stays
    }

    fn folder(&mut self, key: Key) -> bool {
        let stays = !key.encoded && !is_odd(key.text.strip_suffix('/').unwrap_or(&key.text));
        if !stays {
            self.folders.push(key.text);
        }
        stays
    }
}

/// Can `object_store` not address this key?
pub(super) fn is_odd(key: &str) -> bool {
    key.split('/').any(|part| matches!(part, "" | "." | ".."))
        || key.chars().any(|char| char.is_ascii_control())
}

struct Key {
    text: String,
    /// Azure writes names that XML cannot hold percent-encoded, and says so.
    encoded: bool,
}

fn key_of(entry: &str, name: &str) -> Option<Key> {
    let (_, rest) = entry.split_once(&format!("<{name}"))?;
    let (attributes, rest) = rest.split_once('>')?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(Key {
        text: unescaped(text),
        encoded: attributes.contains("ncoded=\"true\""),
    })
}

/// Does the entry of an object say that it has no bytes?
fn is_empty(entry: &str) -> bool {
    ["<Size>0</Size>", "<Content-Length>0</Content-Length>"]
        .iter()
        .any(|size| entry.contains(size))
}

/// The text without the elements of this name that do not stay; `None` when all stay.
fn without(text: &str, element: &str, mut stays: impl FnMut(&str) -> bool) -> Option<String> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let mut kept = String::new();
    let mut rest = text;
    let mut all = true;
    while let Some((before, from)) = rest.split_once(&open) {
        let Some((inside, after)) = from.split_once(&close) else {
            break;
        };
        kept.push_str(before);
        if stays(inside) {
            kept.push_str(&open);
            kept.push_str(inside);
            kept.push_str(&close);
        } else {
            all = false;
        }
        rest = after;
    }
    kept.push_str(rest);
    (!all).then_some(kept)
}

/// What is inside the elements of this name, whatever their namespace.
pub(super) fn elements<'t>(text: &'t str, local: &str) -> Vec<&'t str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, tag)) = rest.split_once('<') {
        rest = tag;
        let end = tag
            .find(|char: char| char.is_whitespace() || char == '/' || char == '>')
            .unwrap_or(tag.len());
        let name = tag.get(..end).unwrap_or_default();
        if name.rsplit(':').next() != Some(local) {
            continue;
        }
        let Some((attributes, after)) = tag.split_once('>') else {
            break;
        };
        if attributes.ends_with('/') {
            found.push("");
            rest = after;
        } else if let Some((inside, after)) = after.split_once(&format!("</{name}>")) {
            found.push(inside);
            rest = after;
        }
    }
    found
}

/// The text that XML text stands for.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('&') {
        out.push_str(before);
        let reference = from
            .split_once(';')
            .and_then(|(name, after)| Some((referred(name)?, after)));
        match reference {
            Some((char, after)) => {
                out.push(char);
                rest = after;
            }
            None => {
                out.push('&');
                rest = from;
            }
        }
    }
    out.push_str(rest);
    out
}

fn referred(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
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
            "<Blobs>{fine}{}{}</Blobs>",
            blob("<Name Encoded=\"true\">a%EF%BF%BE</Name>"),
            blob("<Name>a//b</Name>")
        );
        let odd = OddKeys::default();
        assert_eq!(
            odd.sift(page.into()),
            format!("<Blobs>{fine}</Blobs>").as_bytes()
        );
        assert_eq!(odd.take().0, ["a%EF%BF%BE", "a//b"]);
    }

    #[test]
    fn elements_of_any_namespace() {
        let text = "<d:a x=\"1\"><D:href>/x/&lt;1</D:href><lp1:href >2</lp1:href><href/></d:a>";
        assert_eq!(elements(text, "href"), ["/x/&lt;1", "2", ""]);
        assert_eq!(
            unescaped("/x/&lt;1&#65;&#x42;&unknown; & "),
            "/x/<1AB&unknown; & "
        );
    }
}
