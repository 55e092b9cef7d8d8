//! Events in, an encoded Parquet row group out, without Arrow arrays in between.
//!
//! Most columns of an event repeat what an earlier event said. So a column is kept as numbers into a
//! [`Dictionary`] of its distinct values; and columns that are a function of one part of the event,
//! as sixteen are of its user, are computed once for each distinct text of that part
//! ([`EventPart`]): after that, one look-up serves all of them. Bodies go straight into pages.
//!
//! A [`RowGroup`] belongs to one thread, which uses it again for the next group. Not responsible
//! for: what a column holds (`column/rules.rs`), the file around the row groups (`file/`).

mod bits;
mod chunk;
mod column;
mod dictionary;
mod flat;
mod leaf;
mod nested;
mod page;
mod parts;
mod row_group;

pub(crate) use chunk::Encoded;
pub(crate) use row_group::RowGroup;
