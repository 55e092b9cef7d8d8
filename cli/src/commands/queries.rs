//! `queries`: the library of saved queries, listed, searched, or one of them in full.

use std::io::Write;

use anyhow::{Result, bail};

use crate::{
    args::{QueriesArgs, QueriesCommand},
    listing, output,
    run::{status, stdout},
    settings::Settings,
};

pub(crate) fn queries(args: &QueriesArgs, settings: &Settings) -> Result<u8> {
    let id = match (&args.command, args.words.as_slice()) {
        (Some(QueriesCommand::Show { query }), _) => Some(query),
        (None, [word]) if listing::find_query(word).is_ok() => Some(word),
        _ => None,
    };
    if let Some(id) = id {
        let mut out = stdout();
        listing::describe(listing::find_query(id)?, &mut out, settings.text_width())?;
        out.flush()?;
        return Ok(status::OK);
    }
    let found = listing::queries_about(&args.words);
    if found.is_empty() {
        bail!("no saved query is about all of these words; `auditql queries` lists them all");
    }
    // A table of two hundred questions would be cut to what fits.
    match (settings.terminal.width(), &settings.output) {
        (Some(_), None) => {
            let mut out = stdout();
            listing::write_by_pack(&found, &mut out, settings.text_width())?;
            out.flush()?;
        }
        _ => listing::queries(&found).write(output::find(settings.output())?, settings)?,
    }
    Ok(status::OK)
}
