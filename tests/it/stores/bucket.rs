//! A small store that the tests bring: requests of the XML API that S3 and Cloud Storage share in;
//! objects out, with conditional writes that happen in one step.
//!
//! It answers what `object_store` asks (GET, HEAD and DELETE of objects, PUT with `If-None-Match`,
//! `If-Match` or `x-goog-if-generation-match`, `list-type=2`, uploads in parts, `POST ?delete`),
//! and GET with ranges as any web server. [`Bucket::on_request`] changes what happens on the way.
//! Not responsible for: signatures (nobody is refused) and buckets (every name exists).

mod http;
mod listing;
mod objects;

use std::{
    collections::BTreeMap,
    net::{TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, SystemTime},
};

pub(crate) use self::http::{Answer, Request};
use super::emulators::Store;

/// The least size of a part of an upload that is not its last (S3, "Multipart upload limits"; Cloud
/// Storage, "XML API multipart uploads").
const LEAST_PART: usize = 5 << 20;

/// How long a commit waits for a rival.
const RIVAL: Duration = Duration::from_secs(10);

/// One object; every write gives it another generation.
#[derive(Debug, Clone)]
pub(super) struct StoredObject {
    pub(super) content: Arc<Vec<u8>>,
    pub(super) generation: u64,
    pub(super) written: SystemTime,
}

impl StoredObject {
    pub(super) fn etag(&self) -> String {
        format!("\"{:032x}\"", self.generation)
    }
}

/// What happens to a request.
pub(crate) enum Course {
    /// It is answered.
    Usual,
    /// It is not obeyed, and this is answered.
    Instead(Answer),
    /// It is obeyed, and the connection ends without an answer.
    Silence,
}

/// All objects, by bucket and key, and what was done.
#[derive(Default)]
pub(crate) struct Objects {
    objects: BTreeMap<String, StoredObject>,
    uploads: BTreeMap<String, BTreeMap<usize, (String, Vec<u8>)>>,
    generation: u64,
    /// Conditional writes that came too late.
    refused: usize,
    /// Uploads in parts that were completed.
    completed: usize,
    /// Commits wait for a rival until one was refused; how many wait for each key.
    rivals: Option<BTreeMap<String, usize>>,
}

impl Objects {
    /// Writes an object, as another client would.
    pub(crate) fn put(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.generation += 1;
        let object = StoredObject {
            content: Arc::new(content.into()),
            generation: self.generation,
            written: SystemTime::now(),
        };
        self.objects.insert(path.to_owned(), object);
    }
}

type Hook = Box<dyn FnMut(&Request, &mut Objects) -> Course + Send>;

struct Inside {
    objects: Mutex<Objects>,
    changed: Condvar,
    hook: Mutex<Option<Hook>>,
    /// Keys on one page of a listing.
    page: usize,
}

/// The store. It ends with the tests.
#[derive(Clone)]
pub(crate) struct Bucket {
    pub(crate) url: String,
    inside: Arc<Inside>,
}

impl Bucket {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inside = Arc::new(Inside {
            objects: Mutex::default(),
            changed: Condvar::new(),
            hook: Mutex::default(),
            page: 30,
        });
        let shared = Arc::clone(&inside);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let inside = Arc::clone(&shared);
                thread::spawn(move || inside.serve(connection));
            }
        });
        Self { url, inside }
    }

    /// As S3, and as Cloud Storage.
    pub(crate) fn stores(&self) -> [Store; 2] {
        let store = |name: &str, scheme, env: &[(&str, &str)]| Store {
            name: name.to_owned(),
            scheme,
            env: env
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        let url = self.url.as_str();
        let s3 = [
            ("AWS_ENDPOINT_URL", url),
            ("AWS_ACCESS_KEY_ID", "testing"),
            ("AWS_SECRET_ACCESS_KEY", "testing"),
            ("AWS_REGION", "us-east-1"),
        ];
        let gcs = [("GOOGLE_BASE_URL", url), ("GOOGLE_SKIP_SIGNATURE", "true")];
        [store("s3", "s3", &s3), store("gcs", "gs", &gcs)]
    }

    /// Decides what happens to every request from now on, before it is obeyed.
    pub(crate) fn on_request(
        &self,
        hook: impl FnMut(&Request, &mut Objects) -> Course + Send + 'static,
    ) {
        let mut slot = self.inside.hook.lock().unwrap();
        *slot = Some(Box::new(hook));
    }

    /// The next commit waits until another writer wants the same one: one of them is refused.
    pub(crate) fn let_rivals_meet(&self) {
        self.inside.objects().rivals = Some(BTreeMap::new());
    }

    pub(crate) fn put(&self, path: &str, content: impl Into<Vec<u8>>) {
        self.inside.objects().put(path, content);
    }

    /// The paths that begin so.
    pub(crate) fn paths(&self, prefix: &str) -> Vec<String> {
        let objects = self.inside.objects();
        let paths = objects.objects.keys();
        paths
            .filter(|path| path.starts_with(prefix))
            .cloned()
            .collect()
    }

    /// How many conditional writes came too late.
    pub(crate) fn refused(&self) -> usize {
        self.inside.objects().refused
    }

    /// How many uploads in parts were completed.
    pub(crate) fn completed(&self) -> usize {
        self.inside.objects().completed
    }
}

impl Inside {
    fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers the requests of a connection until it ends.
    fn serve(&self, mut connection: TcpStream) {
        let mut read = Vec::new();
        while let Some(request) = Request::read(&mut connection, &mut read) {
            let course = match &mut *self.hook.lock().unwrap_or_else(PoisonError::into_inner) {
                Some(hook) => hook(&request, &mut self.objects()),
                None => Course::Usual,
            };
            let answer = match course {
                Course::Instead(answer) => answer,
                Course::Usual => self.answer(&request),
                Course::Silence => {
                    self.answer(&request);
                    return;
                }
            };
            if answer.write(&mut connection, &request).is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        let is_object = !request.key.is_empty();
        let mut objects = self.objects();
        let upload = request.query.get("uploadId").cloned();
        match (request.method.as_str(), is_object, upload) {
            ("GET", false, _) => listing::page(&objects.objects, request, self.page),
            ("GET" | "HEAD", true, _) => objects.read(request),
            ("PUT", true, Some(upload)) => objects.put_part(request, &upload),
            ("PUT", true, None) => {
                objects = self.with_rival(objects, request);
                objects.write(request)
            }
            ("POST", true, None) if request.query.contains_key("uploads") => {
                objects.begin_upload(request)
            }
            ("POST", true, Some(upload)) => objects.complete(request, &upload),
            ("DELETE", true, Some(upload)) => {
                objects.uploads.remove(&upload);
                Answer::empty(204)
            }
            ("DELETE", true, None) => match objects.objects.remove(&request.path()) {
                // S3 does not tell; Cloud Storage does.
                None if request.is_google() => Answer::error(404, "NoSuchKey"),
                _ => Answer::empty(204),
            },
            ("POST", false, _) if request.query.contains_key("delete") => {
                objects.delete_many(request)
            }
            _ => Answer::error(501, "NotImplemented"),
        }
    }

    /// Waits until two want to write the same commit, if they are to meet.
    fn with_rival<'o>(
        &self,
        mut objects: MutexGuard<'o, Objects>,
        request: &Request,
    ) -> MutexGuard<'o, Objects> {
        let path = request.path();
        if !path.contains("/_delta_log/") || !request.is_creation() {
            return objects;
        }
        if let Some(rivals) = &mut objects.rivals {
            *rivals.entry(path.clone()).or_default() += 1;
            self.changed.notify_all();
        }
        let is_alone = |objects: &mut Objects| {
            let rivals = objects.rivals.as_ref();
            rivals.is_some_and(|rivals| rivals.get(&path).is_none_or(|count| *count < 2))
        };
        let waited = self.changed.wait_timeout_while(objects, RIVAL, is_alone);
        let (mut objects, _) = waited.unwrap_or_else(PoisonError::into_inner);
        objects.rivals = None;
        self.changed.notify_all();
        objects
    }
}
