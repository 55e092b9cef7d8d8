//! `lake`: a lake inspected and maintained, one of its commands in, rows and an exit code out.

mod export;
mod message;
mod work;

use anyhow::Result;

use crate::{
    args::{LakeArgs, LakeVerb},
    settings::Settings,
};
use work::LakeWork;

pub(crate) async fn lake(args: &LakeArgs, settings: &Settings) -> Result<u8> {
    let (lake, work) = match &args.command {
        LakeVerb::Export(args) => return export::export(args, settings).await,
        LakeVerb::Sources(args) => {
            let as_of = settings.options.as_of;
            (&args.name, LakeWork::Sources { as_of })
        }
        LakeVerb::History(args) => (&args.name, LakeWork::History { limit: args.limit }),
        LakeVerb::Verify(args) => {
            let work = LakeWork::Verify {
                originals: !args.no_originals,
                inputs: args.input.clone(),
            };
            (&args.name, work)
        }
        LakeVerb::Optimize(args) => (&args.name, LakeWork::Optimize),
        LakeVerb::Expire(args) => {
            let work = LakeWork::Expire {
                before: settings.now.saturating_sub(args.older_than),
                dry_run: args.dry_run,
            };
            (&args.name, work)
        }
        LakeVerb::Vacuum(args) => {
            let work = LakeWork::Vacuum {
                older_than: args.older_than,
                dry_run: args.dry_run,
            };
            (&args.name, work)
        }
    };
    work::run(&lake.lake, work, settings).await
}
