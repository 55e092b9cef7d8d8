//! `queries`: the library of saved queries, listed, or one of them in full.

use std::io::Write;

use anyhow::Result;

use crate::{
    args::{QueriesArgs, QueriesCommand},
    listing, output,
    run::{status, stdout},
    settings::Settings,
};

pub(crate) fn queries(args: &QueriesArgs, settings: &Settings) -> Result<u8> {
    match &args.command {
        Some(QueriesCommand::Show { query }) => {
            let mut out = stdout();
            listing::describe(listing::find_query(query)?, &mut out)?;
            out.flush()?;
        }
        None => listing::queries().write(output::find(settings.output())?, settings)?,
    }
    Ok(status::OK)
}
