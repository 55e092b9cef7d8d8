//! Which columns a data file has and what they say: an `add` action in, whether its rows are of an
//! earlier layout out.
//!
//! In files that were written before there was `principal`, that column is missing, and `dry_run` is
//! that of the URI; still earlier ones have no `object_name`, and the columns of
//! [`Absent::Empty`](crate::schema::Absent::Empty) are NULL where today's are empty. A tag of the
//! action says that a file is of today's layout; the catalogue shows the rows of the others as if
//! they were (`catalog/earlier.rs`). A rewrite keeps the layout, and so does one by another tool,
//! which drops the tag: what is shown is the same either way.

use deltalake::kernel::Add;

const TAG: &str = "auditql.layout";
const CURRENT: &str = "3";

/// The tag of a file with today's layout: its name and its value.
pub(crate) fn tag() -> (String, Option<String>) {
    (TAG.to_owned(), Some(CURRENT.to_owned()))
}

/// Is the file of an earlier layout?
pub(crate) fn is_earlier(add: &Add) -> bool {
    let value = add.tags.as_ref().and_then(|tags| tags.get(TAG));
    value.and_then(Option::as_deref) != Some(CURRENT)
}
