//! `lake`: a lake inspected and maintained, one of its commands in, rows and an exit code out.

mod export;
mod message;
mod upkeep;

use anyhow::Result;
use auditql_engine::LakeCommand;

use crate::{
    args::{LakeArgs, LakeVerb},
    settings::Settings,
};

pub(crate) async fn lake(args: &LakeArgs, settings: &Settings) -> Result<u8> {
    let (name, work) = match &args.command {
        LakeVerb::Export(args) => return export::export(args, settings).await,
        LakeVerb::Sources(args) => (&args.name, LakeCommand::Sources),
        LakeVerb::History(args) => (&args.name, LakeCommand::History { limit: args.limit }),
        LakeVerb::Verify(args) => {
            let work = LakeCommand::Verify {
                originals: !args.no_originals,
                inputs: args.input.clone(),
            };
            (&args.name, work)
        }
        LakeVerb::Optimize(args) => (&args.name, LakeCommand::Optimize),
        LakeVerb::Expire(args) => {
            let work = LakeCommand::Expire {
                before: settings.now.saturating_sub(args.older_than),
                dry_run: args.dry_run,
            };
            (&args.name, work)
        }
        LakeVerb::Vacuum(args) => {
            let work = LakeCommand::Vacuum {
                older_than: args.older_than,
                dry_run: args.dry_run,
            };
            (&args.name, work)
        }
    };
    upkeep::run(&name.lake, work, settings).await
}
