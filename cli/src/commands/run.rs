//! `run`: a saved query and its parameters in, rows on stdout, the account of the run on stderr.

use anyhow::Result;

use crate::{
    args::RunArgs,
    listing::{find_query, warn_not_evaluable},
    output,
    run::{AccountOfRun, Question, Session, conclude},
    settings::Settings,
};

pub(crate) async fn run(args: &RunArgs, settings: &Settings) -> Result<u8> {
    let query = find_query(&args.query)?;
    let output = output::find(settings.output())?;
    let session = Session::open(settings).await?;
    let question = Question::Saved(query, &args.params);
    let shown = session.show(&question, output).await;
    if shown.ended.is_ok() {
        warn_not_evaluable(query, &shown.report, &session).await?;
    }
    let (code, ended) = conclude(shown.ended, AccountOfRun::of(shown.report), settings)?;
    Ok(ended.exit_code(code))
}
