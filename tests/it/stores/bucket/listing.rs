//! Listings of the small store: a request for a page in, the page out (`ListObjectsV2`, which Cloud
//! Storage answers as well).

use std::collections::BTreeMap;

use super::{
    StoredObject,
    http::{Answer, Request, timestamp},
};

/// One page of the objects of a bucket.
pub(super) fn page(
    objects: &BTreeMap<String, StoredObject>,
    request: &Request,
    most: usize,
) -> Answer {
    let text = |name: &str| request.query.get(name).map_or("", String::as_str);
    let (prefix, delimiter) = (text("prefix"), text("delimiter"));
    let most = text("max-keys")
        .parse()
        .map_or(most, |keys: usize| keys.min(most));
    let after = match text("continuation-token") {
        "" => text("start-after"),
        token => token,
    };
    let bucket = format!("{}/", request.bucket);
    let (mut entries, mut last, mut is_cut) = (String::new(), String::new(), false);
    let mut count = 0;
    for (path, object) in objects.range(bucket.clone()..) {
        let Some(key) = path.strip_prefix(&bucket) else {
            break;
        };
        let Some(rest) = key.strip_prefix(prefix) else {
            continue;
        };
        let folder = (!delimiter.is_empty())
            .then(|| rest.find(delimiter))
            .flatten()
            .map(|at| &key[..prefix.len() + at + delimiter.len()]);
        let entry = folder.unwrap_or(key);
        if entry <= after || (folder.is_some() && entry == last) {
            continue;
        }
        if count == most {
            is_cut = true;
            break;
        }
        count += 1;
        entry.clone_into(&mut last);
        entries += &match folder {
            Some(folder) => format!(
                "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>",
                escaped(folder)
            ),
            None => format!(
                "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size></Contents>",
                escaped(key),
                timestamp(object.written),
                escaped(&object.etag()),
                object.content.len()
            ),
        };
    }
    let token = if is_cut {
        format!(
            "<NextContinuationToken>{}</NextContinuationToken>",
            escaped(&last)
        )
    } else {
        String::new()
    };
    Answer::xml(format!(
        "<ListBucketResult><Name>{}</Name><IsTruncated>{is_cut}</IsTruncated>{token}{entries}</ListBucketResult>",
        escaped(&request.bucket)
    ))
}

fn escaped(text: &str) -> String {
    let escape = |char: char| match char {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        char if char.is_control() => format!("&#{};", char as u32),
        char => char.to_string(),
    };
    text.chars().map(escape).collect()
}

pub(super) fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}
