//! The fields of a policy: a document in, the fields' values, what is ignored, and what has the
//! wrong type out.
//!
//! Not responsible for: how a field is read (`fields.rs`), whether the values make a policy
//! (`validate.rs`).

use super::document::{DocumentData, DocumentMember, DocumentValue, PolicyDocument};
use super::fields::{FieldDecoder, FieldOutcome, PlacedText};
use super::metadata::METADATA_FIELDS;
use super::notice::{PolicyRefusal, PolicyWarning};

/// The fields of a policy before they are validated.
#[derive(Debug, Default)]
pub(super) struct PolicyFields {
    pub(super) rules: Vec<RuleFields>,
    pub(super) omit_stages: Vec<PlacedText>,
    pub(super) omit_managed_fields: bool,
    pub(super) line: usize,
}

/// The fields of a rule before they are validated.
#[derive(Debug, Default)]
pub(super) struct RuleFields {
    pub(super) line: usize,
    pub(super) level: PlacedText,
    pub(super) users: Vec<PlacedText>,
    pub(super) user_groups: Vec<PlacedText>,
    pub(super) verbs: Vec<PlacedText>,
    pub(super) resources: Vec<ResourceFields>,
    pub(super) namespaces: Vec<PlacedText>,
    pub(super) non_resource_urls: Vec<PlacedText>,
    pub(super) omit_stages: Vec<PlacedText>,
    pub(super) omit_managed_fields: Option<bool>,
}

impl RuleFields {
    /// Every text of the rule's conditions.
    pub(super) fn into_texts(self) -> Vec<PlacedText> {
        let mut texts = [
            self.users,
            self.user_groups,
            self.verbs,
            self.namespaces,
            self.non_resource_urls,
        ]
        .concat();
        for entry in self.resources {
            texts.extend(entry.resources);
            texts.extend(entry.resource_names);
        }
        texts
    }
}

/// The fields of an entry of `resources` before they are validated.
#[derive(Debug, Default)]
pub(super) struct ResourceFields {
    pub(super) line: usize,
    pub(super) group: PlacedText,
    pub(super) resources: Vec<PlacedText>,
    pub(super) resource_names: Vec<PlacedText>,
}

/// Reads the fields of a document whose version and kind are right.
pub(super) fn decode_policy(
    document: &PolicyDocument,
) -> (PolicyFields, Vec<PolicyWarning>, Vec<PolicyRefusal>) {
    let mut decoder = FieldDecoder::new(document);
    let mut policy = PolicyFields {
        line: document.root.line,
        ..PolicyFields::default()
    };
    decoder.object(&document.root, "", |decoder, member| {
        decoder.policy_field(member, &mut policy)
    });
    (policy, decoder.warnings, decoder.refusals)
}

const POLICY_FIELDS: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "omitManagedFields",
    "omitStages",
    "rules",
];
const RULE_FIELDS: &[&str] = &[
    "level",
    "namespaces",
    "nonResourceURLs",
    "omitManagedFields",
    "omitStages",
    "resources",
    "userGroups",
    "users",
    "verbs",
];
const RESOURCE_FIELDS: &[&str] = &["group", "resourceNames", "resources"];

impl FieldDecoder {
    fn policy_field(&mut self, member: &DocumentMember, policy: &mut PolicyFields) -> FieldOutcome {
        let value = &member.value;
        match member.name.as_str() {
            "apiVersion" | "kind" => self.text(value, &member.name, &mut PlacedText::default()),
            "metadata" => self.typed_object(value, "metadata", METADATA_FIELDS),
            "omitManagedFields" => {
                if let Some(omit) = self.bool(value, "omitManagedFields") {
                    policy.omit_managed_fields = omit;
                }
            }
            "omitStages" => self.texts(value, "omitStages", &mut policy.omit_stages),
            "rules" => self.list(value, "rules", &mut policy.rules, Self::rule),
            _ => return FieldOutcome::Unknown(POLICY_FIELDS),
        }
        FieldOutcome::Known
    }

    fn rule(&mut self, value: &DocumentValue, path: &str, rule: &mut RuleFields) {
        rule.line = value.line;
        self.object(value, path, |decoder, member| {
            let value = &member.value;
            let path = format!("{path}.{}", member.name);
            match member.name.as_str() {
                "level" => decoder.text(value, &path, &mut rule.level),
                "users" => decoder.texts(value, &path, &mut rule.users),
                "userGroups" => decoder.texts(value, &path, &mut rule.user_groups),
                "verbs" => decoder.texts(value, &path, &mut rule.verbs),
                "resources" => {
                    decoder.list(value, &path, &mut rule.resources, Self::resource);
                }
                "namespaces" => decoder.texts(value, &path, &mut rule.namespaces),
                "nonResourceURLs" => decoder.texts(value, &path, &mut rule.non_resource_urls),
                "omitStages" => decoder.texts(value, &path, &mut rule.omit_stages),
                "omitManagedFields" => match value.data {
                    DocumentData::Null => rule.omit_managed_fields = None,
                    _ => {
                        let omit = decoder.bool(value, &path);
                        rule.omit_managed_fields = omit.or(rule.omit_managed_fields);
                    }
                },
                _ => return FieldOutcome::Unknown(RULE_FIELDS),
            }
            FieldOutcome::Known
        });
    }

    fn resource(&mut self, value: &DocumentValue, path: &str, resource: &mut ResourceFields) {
        resource.line = value.line;
        self.object(value, path, |decoder, member| {
            let value = &member.value;
            let path = format!("{path}.{}", member.name);
            match member.name.as_str() {
                "group" => decoder.text(value, &path, &mut resource.group),
                "resources" => decoder.texts(value, &path, &mut resource.resources),
                "resourceNames" => decoder.texts(value, &path, &mut resource.resource_names),
                _ => return FieldOutcome::Unknown(RESOURCE_FIELDS),
            }
            FieldOutcome::Known
        });
    }
}
