//! What the user named in, objects out: files, folders (recursive), globs, stdin and URLs of stores, in a stable order, each once.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use super::store::{StoreObject, Stores};
use crate::{Error, Result, table::Window};

/// Where the bytes of an object are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    File(PathBuf),
    Stdin,
    Store(StoreObject),
}

/// One file, or stdin.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    /// As given or found; the content of `source_file`.
    pub(crate) uri: String,
    pub(crate) location: Location,
    /// Bytes as stored; `None` for stdin, pipes, and web servers that do not say.
    pub(crate) size: Option<u64>,
    /// Named by the user himself, not found in a folder: then it is meant to be an audit log.
    pub(crate) named: bool,
}

/// What could not be listed: its name, and why.
pub(crate) type Failures = Vec<(String, String)>;

/// The objects behind what the user named, and messages about what could not be listed.
///
/// # Errors
///
/// When an input does not exist or a glob matches nothing: a name that finds nothing is a mistake.
pub(crate) async fn list(inputs: &[String], stores: &Stores, window: Window) -> Result<(Vec<Object>, Failures)> {
    let mut objects = Vec::new();
    let mut failures = Vec::new();
    for input in inputs {
        if input == "-" {
            objects.push(Object { uri: "stdin".to_owned(), location: Location::Stdin, size: None, named: true });
        } else if Stores::is_url(input) {
            let listed = stores.list(input, window.since, window.until).await?;
            objects.extend(listed.objects.into_iter().map(|(uri, object, named)| Object {
                uri,
                size: object.size,
                location: Location::Store(object),
                named,
            }));
            failures.extend(listed.failures);
        } else if let Some((scheme, _)) = input.split_once("://").filter(|(scheme, _)| *scheme != "file") {
            return Err(Error::input(
                input,
                format!("inputs of the scheme `{scheme}` cannot be read; there are s3, gs, az, abfss, http and https, and local files"),
            ));
        } else {
            let path = input.strip_prefix("file://").unwrap_or(input);
            list_path(input, path, &mut objects, &mut failures)?;
        }
    }
    // Each once, under whatever names; a pipe has no other name.
    let (mut paths, mut stored, mut stdin) = (HashSet::new(), HashSet::new(), false);
    objects.retain(|object| match &object.location {
        Location::File(path) => paths.insert(path.canonicalize().unwrap_or_else(|_| path.clone())),
        Location::Stdin => !std::mem::replace(&mut stdin, true),
        // Not by what is shown: a URL's secrets are not.
        Location::Store(object) => stored.insert(object.clone()),
    });
    Ok((objects, failures))
}

fn list_path(input: &str, path: &str, objects: &mut Vec<Object>, failures: &mut Failures) -> Result<()> {
    let as_path = Path::new(path);
    match std::fs::metadata(as_path) {
        Ok(metadata) if metadata.is_dir() => list_folder(as_path, objects, failures),
        Ok(metadata) => objects.push(file(as_path, &metadata, true)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if !path.contains(['*', '?', '[']) {
                return Err(Error::input(input, "no such file or folder"));
            }
            let matches = glob::glob(path).map_err(|error| Error::input(input, format!("not a glob: {error}")))?;
            let mut matches: Vec<PathBuf> = matches
                .filter_map(|found| match found {
                    Ok(path) => Some(path),
                    Err(error) => {
                        failures.push((error.path().display().to_string(), error.error().to_string()));
                        None
                    }
                })
                .collect();
            matches.sort();
            if matches.is_empty() {
                return Err(Error::input(input, "no file matches this glob"));
            }
            for path in matches {
                match std::fs::metadata(&path) {
                    Ok(metadata) if metadata.is_dir() => list_folder(&path, objects, failures),
                    Ok(metadata) if metadata.is_file() => objects.push(file(&path, &metadata, false)),
                    // As in a folder: reading a pipe that nobody named could wait for ever.
                    Ok(_) => {}
                    Err(error) => failures.push((path.display().to_string(), error.to_string())),
                }
            }
        }
        Err(error) => return Err(Error::input(input, error.to_string())),
    }
    Ok(())
}

fn list_folder(folder: &Path, objects: &mut Vec<Object>, failures: &mut Failures) {
    for entry in walkdir::WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        match entry {
            Ok(entry) if entry.file_type().is_file() => match entry.metadata() {
                Ok(metadata) => objects.push(file(entry.path(), &metadata, false)),
                Err(error) => failures.push((entry.path().display().to_string(), error.to_string())),
            },
            // Sockets, pipes and devices in a folder are no logs; reading a pipe could wait for ever.
            Ok(_) => {}
            Err(error) => {
                let path = error.path().unwrap_or(folder).display().to_string();
                failures.push((path, error.io_error().map_or_else(|| error.to_string(), ToString::to_string)));
            }
        }
    }
}

fn file(path: &Path, metadata: &std::fs::Metadata, named: bool) -> Object {
    Object {
        uri: path.display().to_string(),
        location: Location::File(path.to_owned()),
        size: metadata.is_file().then_some(metadata.len()),
        named,
    }
}
