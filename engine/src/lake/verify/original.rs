//! Check `original`: the logs that the sources were read from in, whether they still hold the bytes
//! that were read out.
//!
//! An original is found where it was, or among the inputs of the check: by its first bytes, as a
//! source always is (`lake/source.rs`). Each object is read once, as far as any source that
//! begins as it does was read.

mod comparison;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::error::Result;
use crate::lake::source::{HEAD, Sources};
use crate::lake::verify::finding::{FindingStatus, LakeFinding};
use crate::lake::verify::known::KnownSource;
use crate::lake::verify::original::comparison::{Likeness, OriginalComparison, SeenObject};
use crate::lake::verify::scan::on_threads;
use crate::source::compress;
use crate::source::object::{InputObject, Location};
use crate::source::store::Stores;
use crate::source::witness::Witness;

const CHECK: &str = "original";
/// Requests to stores take longer than hashing what they bring.
const LEAST_THREADS: usize = 8;

/// Where originals are looked for, and by whom.
pub(super) struct OriginalSearch<'s> {
    pub(super) sources: &'s Sources,
    pub(super) stores: &'s Stores,
    pub(super) runtime: &'s Handle,
    pub(super) threads: usize,
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
    ) -> Result<Vec<LakeFinding>> {
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
                None => (
                    FindingStatus::Ok,
                    "nothing of it has been committed yet".to_owned(),
                ),
                Some((_, Err(message))) => (FindingStatus::Gone, message.clone()),
                Some((ids, Ok(seen))) => judge(&known.id, seen, ids),
            };
            let (status, message) = if status == FindingStatus::Gone {
                elsewhere(known, &given).unwrap_or((status, message))
            } else {
                (status, message)
            };
            LakeFinding::new(
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
        const NOT_THERE: &str = "it no longer exists";
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
        let path = &shown_as(Path::new(uri));
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => Ok(InputObject {
                uri: uri.to_owned(),
                location: Location::File(path.to_owned()),
                size: Some(metadata.len()),
                named: true,
            }),
            Ok(_) => Err("it is no longer a file".to_owned()),
            Err(_) if path.ancestors().skip(1).any(Path::is_file) => Err(
                "it was read from an archive, and archives are searched only when they are given as inputs"
                    .to_owned(),
            ),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(NOT_THERE.to_owned()),
            Err(error) => Err(format!("it cannot be read: {error}")),
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
        let candidates = if head.is_empty() {
            Vec::new()
        } else {
            self.sources.beginning_with(&head)
        };
        let mut comparison = OriginalComparison::new(candidates);
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

/// The path that is shown like this. Names that are not UTF-8 are shown with replacement characters:
/// then the one entry of the folder is meant that is shown like that.
fn shown_as(shown: &Path) -> PathBuf {
    let Some(name) = shown.file_name().map(OsStr::to_string_lossy) else {
        return shown.to_owned();
    };
    let folder = match shown.parent() {
        Some(parent) => shown_as(parent),
        None => PathBuf::new(),
    };
    let path = folder.join(name.as_ref());
    if !name.contains(char::REPLACEMENT_CHARACTER) || path.exists() {
        return path;
    }
    let here = Path::new(".");
    let listed = std::fs::read_dir(if folder.as_os_str().is_empty() {
        here
    } else {
        &folder
    });
    let mut alike = listed
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|entry| entry.to_string_lossy() == name);
    match (alike.next(), alike.next()) {
        (Some(one), None) => folder.join(one),
        _ => path,
    }
}

/// What is where a source was; `homes` are the sources that were read there.
fn judge(id: &str, seen: &SeenObject, homes: &HashSet<&str>) -> (FindingStatus, String) {
    let Some((likeness, to)) = seen.likeness.get(id) else {
        return (
            FindingStatus::Gone,
            "another log has taken its place".to_owned(),
        );
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
            FindingStatus::Ok,
            format!("its first {to} bytes are as they were read"),
        ),
        _ if is_another => (
            FindingStatus::Gone,
            "another log of the lake, which begins alike, has taken its place".to_owned(),
        ),
        Likeness::Other => (
            FindingStatus::Differs,
            format!("the original has changed: its first {to} bytes are not as they were read"),
        ),
        Likeness::Short(at) => (
            FindingStatus::Differs,
            format!("the original has changed: it ends after {at} bytes, {to} were read"),
        ),
        Likeness::Broken(at, error) => (
            FindingStatus::Differs,
            format!(
                "the original has changed: it cannot be decompressed after {at} bytes ({error}), {to} were read"
            ),
        ),
    }
}

/// A source that is not where it was, among other objects; `None` when none of them can be it.
fn elsewhere(
    known: &KnownSource,
    given: &[(&InputObject, SeenObject)],
) -> Option<(FindingStatus, String)> {
    let seen = || {
        given
            .iter()
            .filter_map(|(object, seen)| Some((object, seen, seen.likeness.get(&known.id)?)))
    };
    if let Some((object, _, (_, to))) =
        seen().find(|(_, _, (likeness, _))| *likeness == Likeness::Same)
    {
        return Some((
            FindingStatus::Ok,
            format!(
                "it is now {}; its first {to} bytes are as they were read",
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
        FindingStatus::Differs,
        format!(
            "{} begins alike and has changed: it differs from what was read after that",
            object.uri
        ),
    ))
}

#[cfg(test)]
mod tests;
