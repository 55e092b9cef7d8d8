//! `policy`: an audit policy, a log or both in; what is recorded, by which rule, and what is not out.
//!
//! Thin: the engine's rooms `policy` and `access` know the rules. Each answer has two forms: sentences
//! for people, where no output format is asked for, and rows.

mod coverage;
mod document;
mod explain;
mod lint;
mod rows;
mod shapes;
mod simulate;
mod suggest;

use anyhow::Result;

use crate::{
    args::{PolicyArgs, PolicyVerb},
    commands::screen,
    settings::Settings,
};

pub(super) use document::load;

pub(crate) async fn policy(args: &PolicyArgs, settings: &Settings) -> Result<u8> {
    match &args.command {
        PolicyVerb::Lint(args) => lint::lint(args, settings),
        PolicyVerb::Explain(args) if args.request.is_given() => {
            explain::explain_request(args, settings)
        }
        PolicyVerb::Explain(args) => explain::explain_log(args, settings).await,
        PolicyVerb::Simulate(args) => simulate::simulate(args, settings).await,
        PolicyVerb::Coverage(args) => coverage::coverage(args, settings).await,
        PolicyVerb::Suggest(args) => suggest::suggest(args, settings).await,
    }
}
