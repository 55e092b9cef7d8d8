//! An input in, one file out: Parquet, or the original events as JSON lines. Whole or absent. What
//! is no file is a lake (`lake/`), from which [`export`] gives the original events back.
//!
//! The file is written beside its place under a hidden name, synced, and renamed: readers see the
//! old file or the new one. Rows keep the order of the input, so the same input gives the same
//! bytes. Memory is bounded by a few row groups.

mod jsonl;
pub(crate) mod parquet;
mod rows;

use std::{
    collections::HashMap,
    io::Write,
    path::{Path, PathBuf},
};

use datafusion::common::ScalarValue;
use tempfile::NamedTempFile;

use crate::{Engine, Error, ErrorKind, Result};

/// What a conversion did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Converted {
    /// Rows written.
    pub rows: u64,
    /// Bytes of the file, or of the new files of a lake.
    pub bytes: u64,
    /// New files of a lake.
    pub files: u64,
    /// Sources that a lake had all of.
    pub known: u64,
    /// The version of the lake; `None` for a file.
    pub version: Option<u64>,
}

/// A kind of file, by the ending of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Parquet,
    JsonLines,
}

impl Target {
    /// `None`: a lake, which has no ending, or is there already.
    ///
    /// # Errors
    ///
    /// When the name has another ending: it could be meant to be anything.
    fn of(path: &str) -> Result<Option<Self>> {
        if path.contains("://") || path.ends_with(['/', '\\']) || Path::new(path).is_dir() {
            return Ok(None);
        }
        let ending = Path::new(path)
            .extension()
            .and_then(|ending| ending.to_str())
            .unwrap_or_default()
            .to_ascii_lowercase();
        match ending.as_str() {
            "parquet" => Ok(Some(Self::Parquet)),
            "jsonl" | "ndjson" | "log" => Ok(Some(Self::JsonLines)),
            "" => Ok(None),
            _ => {
                let message = "a file's name ends with .parquet, .jsonl, .ndjson or .log; for a lake, a folder, write a `/` behind the name";
                Err(Error::input(path, message))
            }
        }
    }
}

/// Is this output a lake, and not one file?
pub fn is_lake(to: &str) -> bool {
    matches!(Target::of(to), Ok(None))
}

/// Writes the events of the engine's inputs to `to`: inside its window to a file, whose ending says
/// what it becomes, else what is new of them into a lake.
///
/// # Errors
///
/// When the file cannot be written, or is one of the inputs. Nothing is left behind then.
pub async fn convert(engine: &Engine, to: &str) -> Result<Converted> {
    let Some(target) = Target::of(to)? else {
        return crate::lake::convert(engine, to).await;
    };
    let mut file = NewFile::create(engine, to)?;
    let rows = match target {
        Target::Parquet => parquet::write(engine, file.temporary.as_file_mut(), to).await?,
        Target::JsonLines => jsonl::write(engine, None, file.temporary.as_file_mut(), to).await?,
    };
    Ok(Converted {
        rows,
        bytes: file.finish()?,
        ..Converted::default()
    })
}

/// Writes the original events of the engine's inputs to the file `to` as JSON lines: of one source
/// of a lake, in their order, or of all.
///
/// # Errors
///
/// When there is no such source, or the file cannot be written. Nothing is left behind then.
pub async fn export(engine: &Engine, to: &str, source: Option<&str>) -> Result<Converted> {
    if Path::new(to).is_dir() {
        return Err(Error::input(
            to,
            "is a folder; name a file, or `-` for stdout",
        ));
    }
    check_source(engine, source).await?;
    let mut file = NewFile::create(engine, to)?;
    let rows = jsonl::write(engine, source, file.temporary.as_file_mut(), to).await?;
    Ok(Converted {
        rows,
        bytes: file.finish()?,
        ..Converted::default()
    })
}

/// As [`export`], to a writer; how many events were written.
///
/// # Errors
///
/// When there is no such source, or they cannot be written.
pub async fn export_to(
    engine: &Engine,
    out: &mut (dyn Write + Send),
    source: Option<&str>,
) -> Result<u64> {
    check_source(engine, source).await?;
    jsonl::write(engine, source, out, "the output").await
}

/// No rows of a source that nobody knows are no answer.
async fn check_source(engine: &Engine, source: Option<&str>) -> Result<()> {
    let Some(source) = source else { return Ok(()) };
    let found = engine
        .bound(
            "SELECT 1 FROM sources WHERE source_id = $source LIMIT 1",
            bind(source),
        )
        .await?
        .collect()
        .await?;
    if found.iter().any(|batch| batch.num_rows() > 0) {
        return Ok(());
    }
    let lake = engine.options.inputs.first().map_or("", String::as_str);
    Err(Error::input(
        lake,
        format!("has no source `{source}`; `auditql lake sources {lake}` lists them"),
    ))
}

/// A value of `$source`.
fn bind(source: &str) -> HashMap<String, ScalarValue> {
    HashMap::from([("source".to_owned(), ScalarValue::from(source))])
}

/// A file that has its name when it is whole.
struct NewFile {
    path: PathBuf,
    temporary: NamedTempFile,
}

impl NewFile {
    fn create(engine: &Engine, to: &str) -> Result<Self> {
        let path = Path::new(to);
        if path
            .canonicalize()
            .is_ok_and(|path| engine.input_paths.contains(&path))
        {
            return Err(Error::input(
                to,
                "is an input, too: an output cannot replace it while it is read",
            ));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".tmp")
            .tempfile_in(folder_of(path));
        let temporary = temporary.map_err(|source| -> Error {
            ErrorKind::Output {
                path: to.to_owned(),
                source,
            }
            .into()
        })?;
        Ok(Self {
            path: path.to_owned(),
            temporary,
        })
    }

    /// Gives it its name; its bytes.
    fn finish(self) -> Result<u64> {
        let Self {
            path,
            mut temporary,
        } = self;
        let fail = |source| -> Error {
            ErrorKind::Output {
                path: path.display().to_string(),
                source,
            }
            .into()
        };
        temporary.as_file_mut().flush().map_err(fail)?;
        temporary.as_file().sync_all().map_err(fail)?;
        let bytes = temporary.as_file().metadata().map_err(fail)?.len();
        set_mode(temporary.as_file(), &path).map_err(fail)?;
        temporary
            .persist(&path)
            .map_err(|error| fail(error.error))?;
        // The rename itself has to survive a power cut, too.
        if let Ok(folder) = std::fs::File::open(folder_of(&path)) {
            let _ = folder.sync_all();
        }
        Ok(bytes)
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

/// A temporary file is its owner's alone. The result has the mode of what it replaces, or what a
/// new file would have.
#[cfg(unix)]
fn set_mode(file: &std::fs::File, path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    // Audit logs are secret; the apiserver writes them with mode 0600, and a copy is no less so.
    let mode = path
        .metadata()
        .map_or(0o600, |metadata| metadata.permissions().mode() & 0o777);
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &std::fs::File, _: &Path) -> std::io::Result<()> {
    Ok(())
}
