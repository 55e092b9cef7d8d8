//! `sql`: statements in, rows on stdout, the account of the run on stderr.

use anyhow::{Context, Result, bail};
use auditql_engine::is_same_file;

use crate::{
    args::SqlArgs,
    output,
    run::{AccountOfRun, Ended, Question, Session, conclude},
    settings::Settings,
};

pub(crate) async fn sql(args: &SqlArgs, settings: &Settings) -> Result<u8> {
    if let (Some(file), Some(summary)) = (&args.file, &settings.summary)
        && is_same_file(file, summary)
    {
        bail!("{}: is read by -f and written by --summary", file.display());
    }
    let statements = auditql_engine::statements(&text(args)?);
    if statements.is_empty() {
        bail!("no SQL statement given");
    }
    let output = output::find(settings.output())?;
    let session = Session::open(settings).await?;
    if statements.len() > 1 {
        session.keep_streams().await?;
    }
    let mut account = AccountOfRun::default();
    let mut ended = Ok(Ended::Complete);
    for statement in &statements {
        let shown = session.show(&Question::Sql(statement), output).await;
        account.add(shown.report);
        ended = shown.ended;
        if !matches!(ended, Ok(Ended::Complete)) {
            break;
        }
    }
    // What was read before a statement failed was read all the same.
    let (code, ended) = conclude(ended, account, settings)?;
    Ok(ended.exit_code(code))
}

/// The text of the statements.
fn text(args: &SqlArgs) -> Result<String> {
    match (&args.sql, &args.file) {
        (Some(sql), _) => Ok(sql.clone()),
        (None, Some(file)) if file.as_os_str() == "-" => {
            Ok(std::io::read_to_string(std::io::stdin())?)
        }
        (None, Some(file)) => {
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
        }
        (None, None) => Ok(String::new()),
    }
}
