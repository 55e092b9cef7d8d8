//! `rbac`: roles, bindings and logs in; what is granted, used, removable, enough and risky out.
//!
//! Thin: the engine's rooms `rbac` and `access` know the rules. Each answer is rows, as of any
//! question; `usage` and `unused` have sentences for people where no output format is asked for.

mod decisions;
mod facts;
mod removal;
mod requests;
mod suggest;
mod tree;
mod usage;

use anyhow::Result;

use crate::{
    args::{RbacArgs, RbacVerb},
    settings::Settings,
};

pub(crate) async fn rbac(args: &RbacArgs, settings: &Settings) -> Result<u8> {
    match &args.command {
        RbacVerb::Usage(args) => usage::usage(args, settings).await,
        RbacVerb::Unused(args) => removal::unused(args, settings).await,
        RbacVerb::Suggest(args) => suggest::suggest(args, settings).await,
        RbacVerb::WhatIf(args) => requests::what_if(args, settings).await,
        RbacVerb::Denied(args) => requests::denied(args, settings).await,
        RbacVerb::Risk(args) => requests::risk(args, settings).await,
        RbacVerb::Explain(args) => decisions::explain(args, settings).await,
        RbacVerb::CanI(args) => decisions::can_i(args, settings).await,
        RbacVerb::WhoCan(args) => decisions::who_can(args, settings).await,
        RbacVerb::Replay(args) => decisions::replay(args, settings).await,
    }
}
