//! `run`: a saved query and its parameters in, rows on stdout, the account of the run on stderr.

use anyhow::Result;

use crate::{
    args::RunArgs,
    listing::{find_query, not_evaluable},
    output,
    run::{Ended, Question, Session, account, say, status},
    settings::Settings,
};

pub(crate) async fn run(args: &RunArgs, settings: &Settings) -> Result<u8> {
    let query = find_query(&args.query)?;
    let output = output::find(settings.output())?;
    let session = Session::open(settings).await?;
    let question = Question::Saved(query, &args.params);
    let shown = session.show(&question, output).await?;
    let ended = shown.ended?;
    if let Some(warning) = not_evaluable(query, &shown.report) {
        say(settings, &warning);
    }
    let code = account(&shown.report, settings)?;
    Ok(match ended {
        Ended::Interrupted => status::INTERRUPTED,
        Ended::Complete => code,
    })
}
