//! Parameters of saved queries: what a header declares and a user gives in, typed values to bind
//! out. Never pasted into SQL.

use std::collections::HashMap;

use datafusion::{arrow::datatypes::DataType, common::ScalarValue};
use serde::Deserialize;

use crate::error::{Error, ErrorKind, Hint, Result};
use crate::time::{parse_duration, parse_time};

/// A declared parameter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ParameterType,
    /// Its value when none is given; without one it is NULL.
    #[serde(default)]
    pub default: Option<toml::Value>,
    /// Does the query make no sense without it?
    #[serde(default)]
    pub required: bool,
    /// What it does.
    pub doc: String,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ParameterType {
    /// Text.
    String,
    /// A list of texts, separated by commas.
    Strings,
    /// A 64-bit integer.
    Integer,
    /// A double.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A time: RFC 3339, or a date.
    Timestamp,
    /// A time span such as `90s`, `5m` or `36h`, bound as milliseconds.
    Duration,
}

impl ParameterType {
    /// Its name in headers and docs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Strings => "strings",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
        }
    }

    fn null(self) -> ScalarValue {
        match self {
            Self::String => ScalarValue::Utf8(None),
            Self::Strings => ScalarValue::new_null_list(DataType::Utf8, true, 1),
            Self::Integer => ScalarValue::Int64(None),
            Self::Number | Self::Duration => ScalarValue::Float64(None),
            Self::Boolean => ScalarValue::Boolean(None),
            Self::Timestamp => ScalarValue::TimestampMicrosecond(None, Some("UTC".into())),
        }
    }

    fn parse(self, text: &str) -> Option<ScalarValue> {
        Some(match self {
            Self::String => ScalarValue::Utf8(Some(text.to_owned())),
            Self::Strings => strings(
                text.split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty()),
            ),
            Self::Integer => ScalarValue::Int64(Some(text.parse().ok()?)),
            Self::Number => ScalarValue::Float64(Some(
                text.parse()
                    .ok()
                    .filter(|number: &f64| number.is_finite())?,
            )),
            Self::Boolean => ScalarValue::Boolean(Some(match text {
                "true" | "yes" | "on" | "1" => true,
                "false" | "no" | "off" | "0" => false,
                _ => return None,
            })),
            Self::Timestamp => {
                ScalarValue::TimestampMicrosecond(Some(parse_time(text)?), Some("UTC".into()))
            }
            Self::Duration => ScalarValue::Float64(Some(parse_duration(text)? as f64 / 1000.0)),
        })
    }

    fn value(self, value: &toml::Value) -> Option<ScalarValue> {
        match (self, value) {
            (Self::Strings, toml::Value::Array(items)) => {
                let items = items
                    .iter()
                    .map(toml::Value::as_str)
                    .collect::<Option<Vec<_>>>()?;
                Some(strings(items.into_iter()))
            }
            (Self::Integer, toml::Value::Integer(number)) => {
                Some(ScalarValue::Int64(Some(*number)))
            }
            (Self::Number, toml::Value::Float(number)) => Some(ScalarValue::Float64(Some(*number))),
            (Self::Number, toml::Value::Integer(number)) => {
                Some(ScalarValue::Float64(Some(*number as f64)))
            }
            (Self::Boolean, toml::Value::Boolean(value)) => {
                Some(ScalarValue::Boolean(Some(*value)))
            }
            (Self::String | Self::Timestamp | Self::Duration, toml::Value::String(text)) => {
                self.parse(text)
            }
            _ => None,
        }
    }
}

fn strings<'t>(items: impl Iterator<Item = &'t str>) -> ScalarValue {
    let items: Vec<_> = items
        .map(|item| ScalarValue::Utf8(Some(item.to_owned())))
        .collect();
    ScalarValue::List(ScalarValue::new_list_nullable(&items, &DataType::Utf8))
}

/// The values to bind: given ones parsed by their type, then defaults, then NULL.
///
/// # Errors
///
/// When a value is given that is not declared or does not parse, or a required one is missing.
pub(crate) fn bind(
    query: &str,
    declared: &[(String, Parameter)],
    given: &[(String, String)],
) -> Result<HashMap<String, ScalarValue>> {
    let fail = |message: String| -> Error {
        ErrorKind::SavedQuery(format!("saved query `{query}`: {message}")).into()
    };
    let is_declared = |name: &String| declared.iter().any(|(known, _)| known == name);
    if let Some((name, _)) = given.iter().find(|(name, _)| !is_declared(name)) {
        let names = declared.iter().map(|(name, _)| format!("`{name}`"));
        let names: Vec<_> = names.collect();
        let known = if names.is_empty() {
            "it takes none".to_owned()
        } else {
            format!("known parameters: {}", names.join(", "))
        };
        return Err(fail(format!("unknown parameter `{name}`; {known}")));
    }
    let mut values = HashMap::new();
    for (name, parameter) in declared {
        let given = given.iter().rev().find(|(key, _)| key == name);
        let value = match given {
            Some((_, text)) => parameter.given(name, text),
            None => parameter.default(name),
        };
        let value = match value {
            Ok(value) => value,
            Err(message) => {
                let error = fail(message);
                let is_missing = given.is_none() && parameter.required;
                return Err(if is_missing {
                    error.with_hint(Hint::GiveParameter { name: name.clone() })
                } else {
                    error
                });
            }
        };
        values.insert(name.clone(), value);
    }
    Ok(values)
}

impl Parameter {
    /// A value that was given; or what is wrong with it.
    fn given(&self, name: &str, text: &str) -> Result<ScalarValue, String> {
        self.kind.parse(text).ok_or_else(|| {
            let kind = self.kind.name();
            format!("invalid value `{text}` for parameter `{name}`; expected a {kind}")
        })
    }

    /// The value when none is given; or why there is none.
    fn default(&self, name: &str) -> Result<ScalarValue, String> {
        if self.required {
            return Err(format!("missing parameter `{name}`: {}", self.doc));
        }
        match &self.default {
            None => Ok(self.kind.null()),
            Some(default) => self.kind.value(default).ok_or_else(|| {
                let kind = self.kind.name();
                format!("the default of parameter `{name}` is not a {kind}")
            }),
        }
    }
}
