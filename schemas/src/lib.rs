//! The data model of auditql as data: `tables/*.toml` describe the stored tables, `views/*.sql` the
//! views over them.
//!
//! Nothing goes in; the texts of the files come out, in the order of their names. The engine
//! (`auditql_engine::schema`) interprets them; this package holds no logic, so that the data model
//! can be read and changed without it.

use include_dir::{Dir, include_dir};

static TABLES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/tables");
static VIEWS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/views");

/// The text of every `tables/<name>.toml`, as (`<name>`, text).
pub fn tables() -> impl Iterator<Item = (&'static str, &'static str)> {
    texts(&TABLES, "toml")
}

/// The text of every `views/<name>.sql`, as (`<name>`, text).
pub fn views() -> impl Iterator<Item = (&'static str, &'static str)> {
    texts(&VIEWS, "sql")
}

fn texts(
    dir: &'static Dir<'static>,
    extension: &'static str,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    dir.files().filter_map(move |file| {
        let name = file
            .path()
            .to_str()?
            .strip_suffix(extension)?
            .strip_suffix('.')?;
        Some((name, file.contents_utf8()?))
    })
}
