//! The saved-query library of auditql as data: `<pack>/<id>.sql` or `<pack>/<group>/<id>.sql` with its
//! test cases beside it, `<id>.cases.md`; the lookup tables that queries share,
//! `tables/<name>.toml`; and the frameworks that they are evidence for, `frameworks/<id>.toml`.
//!
//! Goes in: nothing. Comes out: the files' texts. A query is added by adding its two files; the
//! engine reads the header and checks it (`auditql_engine::SavedQuery`). The recipe is in
//! CONTRIBUTING.md.

use include_dir::{Dir, include_dir};

static PACKAGE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR");

/// Folders of the package that hold no queries.
const NOT_PACKS: [&str; 3] = ["src", "tables", "frameworks"];

/// One saved query as it lies in its folder.
#[derive(Debug, Clone, Copy)]
pub struct QueryFile {
    /// The folder: `access`, `rbac`, `detection`, `operations`, …
    pub pack: &'static str,
    /// The folder in it: `persistence`, …; empty for a query that lies in its pack.
    pub group: &'static str,
    /// The file's name without its ending, unique over all packs.
    pub id: &'static str,
    /// Header and SQL.
    pub sql: &'static str,
    /// The test cases; empty if the file is missing, which the linter reports.
    pub cases: &'static str,
}

/// Every shipped query, by pack, group and id.
pub fn all() -> impl Iterator<Item = QueryFile> {
    PACKAGE.dirs().flat_map(|pack| {
        let name = pack.path().to_str().unwrap_or_default();
        let groups = pack.dirs().flat_map(move |group| {
            let path = group.path().file_name();
            let group_name = path.and_then(|name| name.to_str()).unwrap_or_default();
            of_folder(group, name, group_name)
        });
        let is_pack = !NOT_PACKS.contains(&name);
        of_folder(pack, name, "")
            .chain(groups)
            .filter(move |_| is_pack)
    })
}

fn of_folder(
    dir: &'static Dir<'static>,
    pack: &'static str,
    group: &'static str,
) -> impl Iterator<Item = QueryFile> {
    dir.files().filter_map(move |file| {
        let id = file.path().file_name()?.to_str()?.strip_suffix(".sql")?;
        let cases = PACKAGE
            .get_file(file.path().with_extension("cases.md"))
            .and_then(|file| file.contents_utf8());
        Some(QueryFile {
            pack,
            group,
            id,
            sql: file.contents_utf8()?,
            cases: cases.unwrap_or_default(),
        })
    })
}

/// The text of every `tables/<name>.toml`, as (`<name>`, text).
pub fn tables() -> impl Iterator<Item = (&'static str, &'static str)> {
    documents("tables")
}

/// The text of every `frameworks/<id>.toml`, as (`<id>`, text).
pub fn frameworks() -> impl Iterator<Item = (&'static str, &'static str)> {
    documents("frameworks")
}

fn documents(folder: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let folder = PACKAGE.get_dir(folder);
    folder.into_iter().flat_map(Dir::files).filter_map(|file| {
        let name = file.path().file_name()?.to_str()?.strip_suffix(".toml")?;
        Some((name, file.contents_utf8()?))
    })
}
