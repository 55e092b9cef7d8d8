//! `schema` and `formats`: the data model and the log formats, listed.

use anyhow::Result;

use crate::{args::SchemaArgs, listing, output, run::status, settings::Settings};

pub(crate) fn schema(args: &SchemaArgs, settings: &Settings) -> Result<u8> {
    let listing = match &args.table {
        Some(table) => listing::columns(table)?,
        None => {
            let mut listing = listing::tables();
            listing.rows.extend(listing::functions());
            listing
        }
    };
    listing.write(output::find(settings.output())?, settings)?;
    Ok(status::OK)
}

pub(crate) fn formats(settings: &Settings) -> Result<u8> {
    listing::formats().write(output::find(settings.output())?, settings)?;
    Ok(status::OK)
}
