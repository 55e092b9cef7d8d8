//! Functions over request URIs: texts in, their query parameters out.
//!
//! The rules of the parameters are in `request/query.rs`.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{ArrayRef, ListBuilder, StringBuilder, StringViewArray},
        datatypes::{DataType, Field},
    },
    error::Result,
};

use super::{map_text, pairs};
use crate::request::{joined_param, params};

pub(super) fn query_param(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let values = pairs(args).map(|pair| {
        let (uri, name) = pair?;
        params(uri, name).next()
    });
    Ok(Arc::new(values.collect::<StringViewArray>()))
}

pub(super) fn list_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

pub(super) fn query_params(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for pair in pairs(args) {
        if let Some((uri, name)) = pair {
            for value in params(uri, name) {
                lists.values().append_value(value);
            }
        }
        lists.append(pair.is_some());
    }
    Ok(Arc::new(lists.finish()))
}

pub(super) fn exec_command(args: &[&StringViewArray]) -> Result<ArrayRef> {
    Ok(map_text(args[0], |uri| joined_param(uri, "command", " ")))
}
