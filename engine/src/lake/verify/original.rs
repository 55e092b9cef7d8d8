//! Check `original`: what the sources were read from in, whether it still holds the bytes that were
//! read out.
//!
//! An original is found where it was, or among objects that are named for it: by its first bytes,
//! as a source always is (`lake/source.rs`). Each object is read once, as far as any source that
//! begins as it does was read.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    fs::File,
    io::{self, ErrorKind, Read},
    path::Path,
    sync::Arc,
};

use tokio::runtime::Handle;

use crate::error::Result;
use crate::lake::source::{HEAD, SourceRead, Sources};
use crate::lake::verify::finding::{Finding, Status};
use crate::lake::verify::known::KnownSource;
use crate::lake::verify::scan::on_threads;
use crate::source::compress;
use crate::source::object::{InputObject, Location};
use crate::source::store::Stores;
use crate::source::witness::{SourceProgress, Witness};

const CHECK: &str = "original";
const BUFFER: usize = 256 << 10;
/// Requests to stores take longer than hashing what they bring.
const LEAST_THREADS: usize = 8;

/// Where originals are looked for, and by whom.
pub(super) struct OriginalSearch<'s> {
    pub(super) sources: &'s Sources,
    pub(super) stores: &'s Stores,
    pub(super) runtime: &'s Handle,
    pub(super) threads: usize,
}

/// What an object is of a source that begins as it does.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Likeness {
    /// It holds what was read.
    Same,
    /// It goes on otherwise.
    Other,
    /// It ends after so many bytes.
    Short(u64),
    /// Behind so many bytes it cannot be decompressed.
    Broken(u64, String),
}

/// What was seen of an object.
#[derive(Debug, Default)]
struct SeenObject {
    /// By the id of the source, with the byte up to which it was read.
    likeness: HashMap<String, (Likeness, u64)>,
    /// Its decompressed bytes, where its end was met.
    length: Option<u64>,
}

impl OriginalSearch<'_> {
    /// Looks at all originals, and at `objects` for those that are not where they were.
    ///
    /// # Errors
    ///
    /// When a thread fails. What cannot be read is a finding.
    pub(super) fn check(
        &self,
        known: &[KnownSource],
        objects: &[InputObject],
    ) -> Result<Vec<Finding>> {
        let mut homes: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
        for known in known.iter().filter(|known| known.to_offset() > 0) {
            homes.entry(known.uri()).or_default().insert(&known.id);
        }
        let homes: Vec<(&str, HashSet<&str>)> = homes.into_iter().collect();
        let threads = self.threads.max(LEAST_THREADS);
        let at_home = on_threads(threads, &homes, |(uri, _)| {
            Ok(self.find(uri).and_then(|object| self.examine(&object)))
        })?;
        let given = on_threads(threads, objects, |object| Ok(self.examine(object)))?;
        let at_home: HashMap<&str, (&HashSet<&str>, std::result::Result<SeenObject, String>)> =
            homes
                .iter()
                .zip(at_home)
                .map(|((uri, ids), seen)| (*uri, (ids, seen)))
                .collect();
        let given: Vec<(&InputObject, SeenObject)> = objects
            .iter()
            .zip(given)
            .filter_map(|(object, seen)| Some((object, seen.ok()?)))
            .collect();
        let finding = |known: &KnownSource| {
            let (status, message) = match at_home.get(known.uri()) {
                None => (Status::Ok, "no byte of it was read for good yet".to_owned()),
                Some((_, Err(message))) => (Status::Gone, message.clone()),
                Some((ids, Ok(seen))) => judge(&known.id, seen, ids),
            };
            let (status, message) = if status == Status::Gone {
                elsewhere(known, &given).unwrap_or((status, message))
            } else {
                (status, message)
            };
            Finding::new(
                CHECK,
                known.uri(),
                status,
                format!("{message}; source {}", known.id),
            )
        };
        Ok(known.iter().map(finding).collect())
    }

    /// The object of this name; or why there is none.
    fn find(&self, uri: &str) -> std::result::Result<InputObject, String> {
        const NOT_THERE: &str = "it is not there any more";
        if Stores::is_url(uri) {
            let listed = self
                .runtime
                .block_on(self.stores.list(uri, None, None))
                .map_err(|error| {
                    let message = error.to_string();
                    message
                        .strip_prefix(&format!("{uri}: "))
                        .map_or_else(|| message.clone(), str::to_owned)
                })?;
            let found = listed
                .objects
                .into_iter()
                .find(|(shown, _, _)| shown == uri);
            let (shown, object, named) = found.ok_or(NOT_THERE)?;
            return Ok(InputObject {
                uri: shown,
                size: object.size,
                location: Location::Store(object),
                named,
            });
        }
        if uri == "stdin" {
            return Err("it came through a pipe".to_owned());
        }
        let path = Path::new(uri);
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => Ok(InputObject {
                uri: uri.to_owned(),
                location: Location::File(path.to_owned()),
                size: Some(metadata.len()),
                named: true,
            }),
            Ok(_) => Err("it is no file any more".to_owned()),
            Err(_) if path.ancestors().skip(1).any(Path::is_file) => Err(
                "it is a file in an archive, which is not looked into; name the archive with -i"
                    .to_owned(),
            ),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(NOT_THERE.to_owned()),
            Err(error) => Err(format!("it cannot be looked at: {error}")),
        }
    }

    /// What an object is of each source that begins as it does; or why it cannot be read.
    fn examine(&self, object: &InputObject) -> std::result::Result<SeenObject, String> {
        let seen = self.compare(object, None)?;
        let broken = seen.likeness.values().find_map(|(likeness, _)| {
            if let Likeness::Broken(at, _) = likeness {
                Some(*at)
            } else {
                None
            }
        });
        // A decoder that fails may take with it what it had decoded at that moment: how much
        // depends on how much is asked for at once.
        match broken {
            Some(at) if !matches!(object.location, Location::Stdin) => {
                self.compare(object, Some(at))
            }
            _ => Ok(seen),
        }
    }

    /// Reads an object; behind the byte `careful` byte by byte.
    fn compare(
        &self,
        object: &InputObject,
        careful: Option<u64>,
    ) -> std::result::Result<SeenObject, String> {
        let witness = Arc::new(Witness::default());
        let cannot = |error: io::Error| format!("it cannot be read: {error}");
        let stored = self.open(object).map_err(cannot)?;
        let (mut stream, _) =
            compress::decompressed(Box::new(witness.stored(stored))).map_err(cannot)?;
        let mut head = Vec::new();
        let failed = stream
            .by_ref()
            .take(HEAD as u64)
            .read_to_end(&mut head)
            .err();
        let mut candidates: Vec<&SourceRead> = if head.is_empty() {
            Vec::new()
        } else {
            self.sources.beginning_with(&head)
        };
        candidates.sort_by_key(|source| source.to_offset);
        let mut comparison = Comparison {
            candidates: candidates.into(),
            progress: SourceProgress::default(),
            seen: SeenObject::default(),
        };
        comparison.take(&head);
        let ended = match failed {
            Some(error) => Err(error),
            None => comparison.read(&mut stream, careful),
        };
        match ended {
            Err(error) if witness.failed() => Err(cannot(error)),
            ended => Ok(comparison.end(ended)),
        }
    }

    /// The stored bytes of an object.
    fn open(&self, object: &InputObject) -> io::Result<Box<dyn Read + Send>> {
        Ok(match &object.location {
            Location::File(path) => Box::new(File::open(path)?),
            Location::Stdin => Box::new(io::stdin()),
            Location::Store(stored) => {
                self.stores
                    .reader(stored, 0, stored.size.unwrap_or(u64::MAX))?
            }
        })
    }
}

/// An object while it is compared.
struct Comparison<'s> {
    /// Those that were not compared yet, the shortest first.
    candidates: VecDeque<&'s SourceRead>,
    progress: SourceProgress,
    seen: SeenObject,
}

impl Comparison<'_> {
    fn note(&mut self, source: &SourceRead, likeness: Likeness) {
        self.seen
            .likeness
            .insert(source.source_id.clone(), (likeness, source.to_offset));
    }

    /// More bytes of the object.
    fn take(&mut self, mut bytes: &[u8]) {
        while let Some(source) = self.candidates.front().copied() {
            let left = usize::try_from(source.to_offset.saturating_sub(self.progress.bytes))
                .unwrap_or(usize::MAX);
            let Some((before, after)) = bytes.split_at_checked(left) else {
                break;
            };
            self.progress.update(before);
            bytes = after;
            let is_same =
                self.progress.sha256() == source.sha256 && self.progress.newlines == source.lines;
            self.note(
                source,
                if is_same {
                    Likeness::Same
                } else {
                    Likeness::Other
                },
            );
            self.candidates.pop_front();
        }
        self.progress.update(bytes);
    }

    /// Reads on until all are compared; was the end met?
    fn read(&mut self, stream: &mut dyn Read, careful: Option<u64>) -> io::Result<bool> {
        let mut buffer = vec![0; BUFFER];
        loop {
            let is_done = self.candidates.is_empty();
            let most = if is_done || careful.is_some_and(|at| self.progress.bytes >= at) {
                1
            } else {
                BUFFER
            };
            match stream.read(&mut buffer[..most]) {
                Ok(0) => return Ok(true),
                Ok(_) if is_done => return Ok(false),
                Ok(read) => self.take(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // What is behind everything that was ever read does not matter.
                Err(_) if is_done => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    fn end(mut self, ended: io::Result<bool>) -> SeenObject {
        let at = self.progress.bytes;
        let message = ended.as_ref().err().map(ToString::to_string);
        while let Some(source) = self.candidates.pop_front() {
            self.note(
                source,
                message
                    .clone()
                    .map_or(Likeness::Short(at), |message| Likeness::Broken(at, message)),
            );
        }
        self.seen.length = ended.is_ok_and(|ended| ended).then_some(at);
        self.seen
    }
}

/// What is where a source was; `homes` are the sources that were read there.
fn judge(id: &str, seen: &SeenObject, homes: &HashSet<&str>) -> (Status, String) {
    let Some((likeness, to)) = seen.likeness.get(id) else {
        return (Status::Gone, "another log is there now".to_owned());
    };
    // Logs may begin alike: another one that is known takes its place as a whole.
    let is_another = seen.likeness.iter().any(|(other, (likeness, to))| {
        other != id
            && *to > 0
            && *likeness == Likeness::Same
            && (homes.contains(other.as_str()) || seen.length == Some(*to))
    });
    match likeness {
        Likeness::Same => (
            Status::Ok,
            format!("its first {to} bytes are those that were read"),
        ),
        _ if is_another => (
            Status::Gone,
            "another log of the lake is there now, which begins alike".to_owned(),
        ),
        Likeness::Other => (
            Status::Differs,
            format!("the original was changed: its first {to} bytes are not those that were read"),
        ),
        Likeness::Short(at) => (
            Status::Differs,
            format!("the original was changed: it ends after {at} bytes, {to} were read"),
        ),
        Likeness::Broken(at, error) => (
            Status::Differs,
            format!(
                "the original was changed: behind {at} bytes it cannot be decompressed ({error}), {to} were read"
            ),
        ),
    }
}

/// A source that is not where it was, among other objects; `None` when none of them can be it.
fn elsewhere(
    known: &KnownSource,
    given: &[(&InputObject, SeenObject)],
) -> Option<(Status, String)> {
    let seen = || {
        given
            .iter()
            .filter_map(|(object, seen)| Some((object, seen, seen.likeness.get(&known.id)?)))
    };
    if let Some((object, _, (_, to))) =
        seen().find(|(_, _, (likeness, _))| *likeness == Likeness::Same)
    {
        return Some((
            Status::Ok,
            format!(
                "it is {} now; its first {to} bytes are those that were read",
                object.uri
            ),
        ));
    }
    // A shorter one may be an older copy, and one that is another source is no copy.
    let is_known = |seen: &SeenObject| {
        seen.likeness
            .values()
            .any(|(likeness, to)| *to > 0 && *likeness == Likeness::Same)
    };
    let (object, ..) =
        seen().find(|(_, seen, (likeness, _))| *likeness == Likeness::Other && !is_known(seen))?;
    Some((
        Status::Differs,
        format!(
            "{} begins as it does, and was changed: it goes on otherwise than what was read",
            object.uri
        ),
    ))
}

#[cfg(test)]
mod tests;
