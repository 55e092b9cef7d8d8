//! Functions over user names: texts in, who is behind them out.
//!
//! The rules are in `event/actor.rs`.

use std::sync::Arc;

use datafusion::{
    arrow::array::{ArrayRef, StringViewArray},
    error::Result,
};

use crate::event::is_proxy;

pub(super) fn principal(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let users = args[0].iter().zip(args[1].iter());
    let principals = users.map(|(username, impersonated)| {
        let is_passed_on = impersonated.is_some() && username.is_none_or(is_proxy);
        if is_passed_on { impersonated } else { username }
    });
    Ok(Arc::new(principals.collect::<StringViewArray>()))
}
