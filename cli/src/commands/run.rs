//! `run`: a saved query and its parameters in, rows on stdout, the account of the run on stderr.

use anyhow::Result;

use crate::{
    args::RunArgs,
    listing::{find_query, not_evaluable},
    output,
    run::{AccountOfRun, Question, Session, conclude, say},
    settings::Settings,
};

pub(crate) async fn run(args: &RunArgs, settings: &Settings) -> Result<u8> {
    let query = find_query(&args.query)?;
    let output = output::find(settings.output())?;
    let session = Session::open(settings).await?;
    let question = Question::Saved(query, &args.params);
    let shown = session.show(&question, output).await;
    if shown.ended.is_ok()
        && let Some(warning) =
            not_evaluable(query, &shown.report, settings.options.baseline.is_some())
    {
        say(settings, &warning);
    }
    let (code, ended) = conclude(shown.ended, AccountOfRun::of(shown.report), settings)?;
    Ok(ended.exit_code(code))
}
