//! The saved-query library of auditql as data: `<pack>/<id>.sql` with its test cases beside it,
//! `<pack>/<id>.cases.md`.
//!
//! Goes in: nothing. Comes out: the files' texts. A query is added by adding its two files; the
//! engine reads the header and checks it (`auditql_engine::SavedQuery`). The recipe is in
//! CONTRIBUTING.md.

use include_dir::{Dir, include_dir};

static PACKAGE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR");

/// One saved query as it lies in its folder.
#[derive(Debug, Clone, Copy)]
pub struct QueryFile {
    /// The folder: `access`, `rbac`, `detection`, `operations`, …
    pub pack: &'static str,
    /// The file's name without its ending, unique over all packs.
    pub id: &'static str,
    /// Header and SQL.
    pub sql: &'static str,
    /// The test cases; empty if the file is missing, which the linter reports.
    pub cases: &'static str,
}

/// Every shipped query, by pack and id.
pub fn all() -> impl Iterator<Item = QueryFile> {
    PACKAGE.dirs().flat_map(|dir| {
        dir.files().filter_map(move |file| {
            let id = file.path().file_name()?.to_str()?.strip_suffix(".sql")?;
            let cases = PACKAGE
                .get_file(file.path().with_extension("cases.md"))
                .and_then(|file| file.contents_utf8());
            let pack = dir.path().to_str()?;
            Some(QueryFile {
                pack,
                id,
                sql: file.contents_utf8()?,
                cases: cases.unwrap_or_default(),
            })
        })
    })
}
