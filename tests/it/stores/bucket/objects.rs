//! What requests do to the objects of the small store: a request in, an answer out, while nobody
//! else may change anything.

use std::{collections::BTreeMap, ops::Range};

use super::{LEAST_PART, Objects, StoredObject, http::Answer, http::Request, http::date};

impl Objects {
    /// GET and HEAD, with ranges and conditions.
    pub(super) fn read(&self, request: &Request) -> Answer {
        let Some(object) = self.objects.get(&request.path()) else {
            return Answer::error(404, "NoSuchKey");
        };
        let wanted = request.header("if-match");
        if wanted.is_some_and(|tag| tag != "*" && tag != object.etag()) {
            return Answer::error(412, "PreconditionFailed");
        }
        let generation = request.query.get("generation");
        if generation.is_some_and(|wanted| *wanted != object.generation.to_string()) {
            return Answer::error(404, "NoSuchKey");
        }
        let size = object.content.len();
        let answer = match request.header("range").map(|range| span(range, size)) {
            None => Answer::new(200, object.content.to_vec()),
            Some(None) => return Answer::error(416, "InvalidRange"),
            Some(Some(span)) => {
                let shown = format!("bytes {}-{}/{size}", span.start, span.end - 1);
                Answer::new(206, object.content[span].to_vec()).with("Content-Range", shown)
            }
        };
        tagged(answer, object)
            .with("Accept-Ranges", "bytes")
            .with("Last-Modified", date(object.written))
    }

    /// PUT, with conditions.
    pub(super) fn write(&mut self, request: &Request) -> Answer {
        if request.header("x-amz-copy-source").is_some()
            || request.header("x-goog-copy-source").is_some()
        {
            return Answer::error(501, "NotImplemented");
        }
        let path = request.path();
        let now = self.objects.get(&path);
        let is_taken = request.is_creation() && now.is_some();
        let is_other = request
            .header("if-match")
            .is_some_and(|tag| now.is_none_or(|object| object.etag() != tag));
        let is_older = request
            .header("x-goog-if-generation-match")
            .filter(|generation| *generation != "0")
            .is_some_and(|wanted| now.is_none_or(|object| object.generation.to_string() != wanted));
        if is_taken || is_other || is_older {
            self.refused += 1;
            return Answer::error(412, "PreconditionFailed");
        }
        self.put(&path, request.body.clone());
        tagged(Answer::empty(200), &self.objects[&path])
    }

    pub(super) fn begin_upload(&mut self, request: &Request) -> Answer {
        self.generation += 1;
        let id = format!("upload+{}/==", self.generation);
        self.uploads.insert(id.clone(), BTreeMap::new());
        let (bucket, key) = (&request.bucket, &request.key);
        Answer::xml(format!(
            "<InitiateMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{key}</Key><UploadId>{id}</UploadId>\
             </InitiateMultipartUploadResult>"
        ))
    }

    pub(super) fn put_part(&mut self, request: &Request, upload: &str) -> Answer {
        let number = request.query["partNumber"].parse().unwrap();
        self.generation += 1;
        let tag = format!("\"part-{}\"", self.generation);
        match self.uploads.get_mut(upload) {
            None => Answer::error(404, "NoSuchUpload"),
            Some(parts) => {
                parts.insert(number, (tag.clone(), request.body.clone()));
                Answer::empty(200).with("ETag", tag)
            }
        }
    }

    /// Makes an object of the parts that the body lists.
    pub(super) fn complete(&mut self, request: &Request, upload: &str) -> Answer {
        let Some(parts) = self.uploads.remove(upload) else {
            return Answer::error(404, "NoSuchUpload");
        };
        let body = String::from_utf8_lossy(&request.body);
        let listed: Vec<(usize, String)> = elements(&body, "Part")
            .into_iter()
            .map(|part| {
                let number = elements(part, "PartNumber")[0];
                let tag = elements(part, "ETag")[0];
                (number.parse().unwrap(), tag.replace("&quot;", "\""))
            })
            .collect();
        let mut content = Vec::new();
        for (index, (number, tag)) in listed.iter().enumerate() {
            match parts.get(number) {
                Some((own, bytes)) if own == tag => {
                    if bytes.len() < LEAST_PART && index + 1 < listed.len() {
                        return Answer::error(400, "EntityTooSmall");
                    }
                    content.extend_from_slice(bytes);
                }
                _ => return Answer::error(400, "InvalidPart"),
            }
        }
        let path = request.path();
        self.put(&path, content);
        self.completed += 1;
        let object = &self.objects[&path];
        let answer = Answer::xml(format!(
            "<CompleteMultipartUploadResult><ETag>{}</ETag></CompleteMultipartUploadResult>",
            object.etag()
        ));
        tagged(answer, object)
    }

    /// S3's deletion of up to a thousand objects.
    pub(super) fn delete_many(&mut self, request: &Request) -> Answer {
        let body = String::from_utf8_lossy(&request.body);
        let mut deleted = String::new();
        for escaped in elements(&body, "Key") {
            let key = super::listing::unescaped(escaped);
            self.objects.remove(&format!("{}/{key}", request.bucket));
            deleted += &format!("<Deleted><Key>{escaped}</Key></Deleted>");
        }
        Answer::xml(format!("<DeleteResult>{deleted}</DeleteResult>"))
    }
}

fn tagged(answer: Answer, object: &StoredObject) -> Answer {
    answer
        .with("ETag", object.etag())
        .with("x-goog-generation", object.generation.to_string())
}

/// The bytes that a header `Range` asks for; `None` if there are none.
fn span(range: &str, size: usize) -> Option<Range<usize>> {
    let (start, end) = range.strip_prefix("bytes=")?.split_once('-')?;
    let span = match (start.parse::<usize>(), end.parse::<usize>()) {
        (Ok(start), Ok(end)) => start..size.min(end + 1),
        (Ok(start), Err(_)) => start..size,
        (Err(_), Ok(last)) => size.saturating_sub(last)..size,
        _ => return None,
    };
    (span.start < span.end).then_some(span)
}

/// What the elements of this name hold.
fn elements<'x>(xml: &'x str, name: &str) -> Vec<&'x str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = xml.split(&open).skip(1);
    parts
        .filter_map(|part| part.split_once(&close))
        .map(|(inside, _)| inside)
        .collect()
}
