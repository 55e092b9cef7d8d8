//! The options of a list or watch, as far as they change what a request is about.
//!
//! The apiserver decodes all list options before it uses any
//! (`metainternalversionscheme.ParameterCodec.DecodeParameters`). Four of them can fail:
//! `labelSelector`, `fieldSelector`, `limit` and `timeoutSeconds`. Every other value is accepted:
//! `resourceVersion`, `resourceVersionMatch`, `continue` and `shardSelector` are texts, and a boolean
//! is true unless it says otherwise. After a failure only `watch` counts. Of a repeated option the
//! first counts.

use crate::request::field_selector::exact_match;
use crate::request::label_selector::is_label_selector;
use crate::request::query::decode;
use crate::request::query::pairs;

/// What the options say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ListOptions {
    /// It is a watch.
    pub(super) watch: bool,
    /// The name that `metadata.name` has to have.
    pub(super) name: Option<String>,
}

impl ListOptions {
    /// The options in a query.
    pub(super) fn parse(query: &str) -> Self {
        let mut options = Self::default();
        if query.is_empty() {
            return options;
        }
        let (mut watch, mut limit, mut timeout) = (None, None, None);
        let (mut labels, mut fields) = (None, None);
        for (key, value) in pairs(query) {
            let Some(key) = decode(key) else {
                continue;
            };
            let place = match &*key {
                "watch" => &mut watch,
                "limit" => &mut limit,
                "timeoutSeconds" => &mut timeout,
                "labelSelector" => &mut labels,
                "fieldSelector" => &mut fields,
                _ => continue,
            };
            if place.is_none() {
                *place = decode(value);
            }
        }
        options.watch = watch.is_some_and(|value| is_true(&value));
        let Some(fields) = fields else {
            return options;
        };
        // `strconv.ParseInt(value, 10, 64)` takes what this takes: a sign and digits.
        let is_number = |value: &str| value.parse::<i64>().is_ok();
        let is_decoded = limit.is_none_or(|value| is_number(&value))
            && timeout.is_none_or(|value| is_number(&value))
            && labels.is_none_or(|value| is_label_selector(&value));
        if is_decoded {
            let name = exact_match(&fields, "metadata.name").ok().flatten();
            options.name = name.filter(|name| is_path_segment(name));
        }
        options
    }
}

/// `Convert_Slice_string_To_bool`.
fn is_true(value: &str) -> bool {
    value != "0" && !value.eq_ignore_ascii_case("false")
}

/// `IsPathSegmentName`; the name may be empty.
fn is_path_segment(name: &str) -> bool {
    !matches!(name, "." | "..") && !name.contains(['/', '%'])
}
