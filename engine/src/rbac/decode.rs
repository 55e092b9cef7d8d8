//! A JSON value → a typed object: fields and types as `sigs.k8s.io/json` decodes them into the Go
//! types, with the path of what does not fit.
//!
//! Names are case-sensitive, null is absent, null in a list of texts is `""`. Fields that the type
//! lacks are ignored and named. Not responsible for: whether the apiserver takes the object
//! (`validity.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Map;
use serde_json::Value;

use crate::rbac::objects::LabelRequirement;
use crate::rbac::objects::ObjectOrigin;
use crate::rbac::objects::RbacRule;
use crate::rbac::objects::RbacSubject;
use crate::rbac::objects::SubjectKind;

/// What does not fit, as `rules[0].verbs[1]: expected text, found a boolean`.
pub(crate) type Misfit = String;

/// The members of an object under decoding, with the path to it.
pub(crate) struct DecodedFields<'v> {
    path: String,
    members: Option<&'v Map<String, Value>>,
}

impl<'v> DecodedFields<'v> {
    /// Null counts as an empty object.
    pub(crate) fn new(path: impl Into<String>, value: &'v Value) -> Result<Self, Misfit> {
        let path = path.into();
        match value {
            Value::Object(members) => Ok(Self {
                path,
                members: Some(members),
            }),
            Value::Null => Ok(Self {
                path,
                members: None,
            }),
            other => Err(misfit(&path, "an object", other)),
        }
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    pub(crate) fn get(&self, name: &str) -> &'v Value {
        let member = self.members.and_then(|members| members.get(name));
        member.unwrap_or(&Value::Null)
    }

    pub(crate) fn text(&self, name: &str) -> Result<String, Misfit> {
        text(&self.path_of(name), self.get(name))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Misfit> {
        match self.get(name) {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(*flag)),
            other => Err(misfit(&self.path_of(name), "true or false", other)),
        }
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Misfit> {
        let each = |path: String, value: &'v Value| text(&path, value);
        self.list(name, each)
    }

    pub(crate) fn object(&self, name: &str) -> Result<Self, Misfit> {
        Self::new(self.path_of(name), self.get(name))
    }

    pub(crate) fn list<T>(
        &self,
        name: &str,
        each: impl Fn(String, &'v Value) -> Result<T, Misfit>,
    ) -> Result<Vec<T>, Misfit> {
        let path = self.path_of(name);
        match self.get(name) {
            Value::Null => Ok(Vec::new()),
            Value::Array(values) => values
                .iter()
                .enumerate()
                .map(|(at, value)| each(format!("{path}[{at}]"), value))
                .collect(),
            other => Err(misfit(&path, "a list", other)),
        }
    }

    fn text_map(&self, name: &str) -> Result<BTreeMap<String, String>, Misfit> {
        let path = self.path_of(name);
        match self.get(name) {
            Value::Null => Ok(BTreeMap::new()),
            Value::Object(members) => members
                .iter()
                .map(|(key, value)| Ok((key.clone(), text(&format!("{path}.{key}"), value)?)))
                .collect(),
            other => Err(misfit(&path, "an object", other)),
        }
    }

    /// Paths of members that the type lacks.
    pub(crate) fn unknown(&self, known: &[&str], found: &mut Vec<String>) {
        let names = self.members.into_iter().flat_map(Map::keys);
        let unknown = names.filter(|name| !known.contains(&name.as_str()));
        found.extend(unknown.map(|name| self.path_of(name)));
    }
}

fn text(path: &str, value: &Value) -> Result<String, Misfit> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        other => Err(format!("{}; put it in quotes", misfit(path, "text", other))),
    }
}

fn misfit(path: &str, expected: &str, found: &Value) -> Misfit {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    let path = if path.is_empty() { "document" } else { path };
    format!("{path}: expected {expected}, found {found}")
}

/// `metadata`: name, namespace, and the rest as an origin.
pub(crate) struct DecodedMetadata {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) origin: ObjectOrigin,
}

impl DecodedMetadata {
    pub(crate) fn of(
        object: &DecodedFields<'_>,
        file: &Arc<str>,
        line: u64,
    ) -> Result<Self, Misfit> {
        let metadata = object.object("metadata")?;
        let present = |text: String| Some(text).filter(|text| !text.is_empty());
        Ok(Self {
            name: metadata.text("name")?,
            namespace: metadata.text("namespace")?,
            origin: ObjectOrigin {
                file: Arc::clone(file),
                line,
                uid: present(metadata.text("uid")?),
                resource_version: present(metadata.text("resourceVersion")?),
                labels: metadata.text_map("labels")?,
                bundled: false,
            },
        })
    }
}

/// `rules`.
pub(crate) fn rules(
    object: &DecodedFields<'_>,
    unknown: &mut Vec<String>,
) -> Result<Vec<RbacRule>, Misfit> {
    let decoded = object.list("rules", |path, value| {
        let rule = DecodedFields::new(path, value)?;
        let mut unknown = Vec::new();
        let known = [
            "verbs",
            "apiGroups",
            "resources",
            "resourceNames",
            "nonResourceURLs",
        ];
        rule.unknown(&known, &mut unknown);
        let decoded = RbacRule {
            verbs: rule.texts("verbs")?,
            api_groups: rule.texts("apiGroups")?,
            resources: rule.texts("resources")?,
            resource_names: rule.texts("resourceNames")?,
            non_resource_urls: rule.texts("nonResourceURLs")?,
        };
        Ok((decoded, unknown))
    })?;
    Ok(split_unknown(decoded, unknown))
}

/// A subject, and its `apiGroup`.
pub(crate) type DecodedSubject = (RbacSubject, String, String);

/// `subjects`: each with `apiGroup` and its kind as written.
pub(crate) fn subjects(
    object: &DecodedFields<'_>,
    unknown: &mut Vec<String>,
) -> Result<Vec<DecodedSubject>, Misfit> {
    let decoded = object.list("subjects", |path, value| {
        let subject = DecodedFields::new(path, value)?;
        let mut unknown = Vec::new();
        subject.unknown(&["kind", "apiGroup", "name", "namespace"], &mut unknown);
        let kind = subject.text("kind")?;
        let decoded = RbacSubject {
            kind: SubjectKind::parse(&kind),
            namespace: subject.text("namespace")?,
            name: subject.text("name")?,
        };
        Ok(((decoded, subject.text("apiGroup")?, kind), unknown))
    })?;
    Ok(split_unknown(decoded, unknown))
}

fn split_unknown<T>(decoded: Vec<(T, Vec<String>)>, unknown: &mut Vec<String>) -> Vec<T> {
    let each = decoded.into_iter().map(|(item, paths)| {
        unknown.extend(paths);
        item
    });
    each.collect()
}

/// `aggregationRule`; `None` if absent or null.
pub(crate) fn aggregation(
    object: &DecodedFields<'_>,
) -> Result<Option<Vec<Vec<LabelRequirement>>>, Misfit> {
    if object.get("aggregationRule").is_null() {
        return Ok(None);
    }
    let rule = object.object("aggregationRule")?;
    let selectors = rule.list("clusterRoleSelectors", |path, value| {
        let selector = DecodedFields::new(path, value)?;
        let labels = selector.text_map("matchLabels")?;
        let mut requirements: Vec<LabelRequirement> = labels
            .into_iter()
            .map(|(key, value)| LabelRequirement::In(key, vec![value]))
            .collect();
        requirements.extend(selector.list("matchExpressions", requirement)?);
        Ok(requirements)
    })?;
    Ok(Some(selectors))
}

fn requirement(path: String, value: &Value) -> Result<LabelRequirement, Misfit> {
    let fields = DecodedFields::new(path.as_str(), value)?;
    let (key, values) = (fields.text("key")?, fields.texts("values")?);
    match fields.text("operator")?.as_str() {
        "In" => Ok(LabelRequirement::In(key, values)),
        "NotIn" => Ok(LabelRequirement::NotIn(key, values)),
        "Exists" => Ok(LabelRequirement::Exists(key)),
        "DoesNotExist" => Ok(LabelRequirement::Absent(key)),
        other => Err(format!("{path}.operator: unknown operator `{other}`")),
    }
}
