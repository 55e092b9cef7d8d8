//! What the user named in, objects out: files, folders (recursive), globs, stdin and URLs of
//! stores, in a stable order, each once.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use crate::error::{Error, Result};
use crate::source::identity::FileIdentity;
use crate::source::lake_folder::is_lake;
use crate::source::object::{Failures, InputObject, Location, local_path};
use crate::source::store::Stores;
use crate::time::Window;

/// What the user's inputs are.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    pub(crate) objects: Vec<InputObject>,
    pub(crate) failures: Failures,
    /// Lakes: folders, and URLs.
    pub(crate) lakes: Vec<String>,
    /// Folders that were not listed, since they are of days outside the window.
    pub(crate) pruned: u64,
}

/// The objects and lakes behind what the user named, and messages about what could not be listed.
///
/// # Errors
///
/// When an input does not exist or a glob matches nothing: a name that finds nothing is a mistake.
pub(crate) async fn list(inputs: &[String], stores: &Stores, window: Window) -> Result<Inputs> {
    let mut found = Inputs::default();
    for input in inputs {
        let Inputs {
            objects,
            failures,
            lakes,
            pruned,
        } = &mut found;
        if input == "-" {
            objects.push(InputObject {
                uri: "stdin".to_owned(),
                location: Location::Stdin,
                size: None,
                named: true,
            });
        } else if Stores::is_url(input) && stores.holds_lake(input).await? {
            lakes.push(input.clone());
        } else if Stores::is_url(input) {
            let listed = stores.list(input, window.since, window.until).await?;
            objects.extend(
                listed
                    .objects
                    .into_iter()
                    .map(|(uri, object, named)| InputObject {
                        uri,
                        size: object.size,
                        location: Location::Store(object),
                        named,
                    }),
            );
            failures.extend(listed.failures);
            *pruned += listed.pruned;
        } else if let Some((scheme, _)) = input
            .split_once("://")
            .filter(|(scheme, _)| *scheme != "file")
        {
            return Err(Error::input(
                Stores::redacted(input),
                format!(
                    "inputs of the scheme `{scheme}` cannot be read; there are s3, gs, az, abfss, http and https, and local files"
                ),
            ));
        } else {
            list_path(input, local_path(input)?, &mut found)?;
        }
    }
    // Each once, under whatever names, hard links among them; a pipe has no other name.
    let (mut files, mut stored, mut stdin) = (HashSet::new(), HashSet::new(), false);
    found.objects.retain(|object| match &object.location {
        Location::File(path) => FileIdentity::of(path).is_none_or(|file| files.insert(file)),
        Location::Stdin => !std::mem::replace(&mut stdin, true),
        // Not by what is shown: a URL's secrets are not.
        Location::Store(object) => stored.insert(object.clone()),
    });
    Ok(found)
}

fn list_path(input: &str, path: &str, found: &mut Inputs) -> Result<()> {
    let as_path = Path::new(path);
    match std::fs::metadata(as_path) {
        Ok(metadata) if metadata.is_dir() => list_folder(as_path, found),
        Ok(metadata) => found.objects.push(file(as_path, &metadata, true)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if !path.contains(['*', '?', '[']) {
                return Err(Error::input(input, "no such file or folder"));
            }
            let matches = glob::glob(path)
                .map_err(|error| Error::input(input, format!("not a glob: {error}")))?;
            let mut matches: Vec<PathBuf> = matches
                .filter_map(|entry| match entry {
                    Ok(path) => Some(path),
                    Err(error) => {
                        found.failures.push((
                            error.path().display().to_string(),
                            error.error().to_string(),
                        ));
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
                    Ok(metadata) if metadata.is_dir() => list_folder(&path, found),
                    Ok(metadata) if metadata.is_file() => {
                        found.objects.push(file(&path, &metadata, false))
                    }
                    // As in a folder: reading a pipe that nobody named could wait for ever.
                    Ok(_) => {}
                    Err(error) => found
                        .failures
                        .push((path.display().to_string(), error.to_string())),
                }
            }
        }
        Err(error) => return Err(Error::input(input, error.to_string())),
    }
    Ok(())
}

fn list_folder(folder: &Path, found: &mut Inputs) {
    // The table of events of a lake stands for the lake.
    if let Some(parent) = folder
        .parent()
        .filter(|parent| folder.ends_with("events") && is_lake(parent))
    {
        return found.lakes.push(parent.display().to_string());
    }
    let mut entries = walkdir::WalkDir::new(folder)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter();
    while let Some(entry) = entries.next() {
        match entry {
            Ok(entry) if entry.file_type().is_file() => match entry.metadata() {
                Ok(metadata) => found.objects.push(file(entry.path(), &metadata, false)),
                Err(error) => found
                    .failures
                    .push((entry.path().display().to_string(), error.to_string())),
            },
            // What lies in a lake is not all of it valid: its log says.
            Ok(entry) if entry.file_type().is_dir() && is_lake(entry.path()) => {
                found.lakes.push(entry.path().display().to_string());
                entries.skip_current_dir();
            }
            // Sockets, pipes and devices in a folder are no logs; reading a pipe could wait for
            // ever.
            Ok(_) => {}
            Err(error) => {
                let path = error.path().unwrap_or(folder).display().to_string();
                found.failures.push((
                    path,
                    error
                        .io_error()
                        .map_or_else(|| error.to_string(), ToString::to_string),
                ));
            }
        }
    }
}

fn file(path: &Path, metadata: &std::fs::Metadata, named: bool) -> InputObject {
    InputObject {
        uri: path.display().to_string(),
        location: Location::File(path.to_owned()),
        size: metadata.is_file().then_some(metadata.len()),
        named,
    }
}
