//! Policies and rules as YAML: a policy in, a document that loads as the same policy out.
//!
//! Not responsible for: comments and layout of a document that was read.

use std::fmt::Write;

use super::model::{AuditPolicy, PolicyRule, PolicyStage};

impl PolicyRule {
    /// The rule as an entry of `rules`, with a line feed at the end.
    pub fn to_yaml(&self) -> String {
        let mut yaml = format!("- level: {}\n", self.level);
        field(&mut yaml, "users", &self.users);
        field(&mut yaml, "userGroups", &self.user_groups);
        field(&mut yaml, "verbs", &self.verbs);
        field(&mut yaml, "namespaces", &self.namespaces);
        field(&mut yaml, "nonResourceURLs", &self.non_resource_urls);
        if !self.resources.is_empty() {
            yaml.push_str("  resources:\n");
        }
        for entry in &self.resources {
            let _ = writeln!(yaml, "  - group: {}", quoted(&entry.group));
            if !entry.resources.is_empty() {
                let _ = writeln!(yaml, "    resources: {}", list(&entry.resources));
            }
            if !entry.resource_names.is_empty() {
                let _ = writeln!(yaml, "    resourceNames: {}", list(&entry.resource_names));
            }
        }
        stages(&mut yaml, "  ", &self.omit_stages);
        if let Some(omit) = self.omit_managed_fields {
            let _ = writeln!(yaml, "  omitManagedFields: {omit}");
        }
        yaml
    }
}

impl AuditPolicy {
    /// The policy as a document.
    pub fn to_yaml(&self) -> String {
        let mut yaml = "apiVersion: audit.k8s.io/v1\nkind: Policy\n".to_owned();
        stages(&mut yaml, "", &self.omit_stages);
        if self.omit_managed_fields {
            yaml.push_str("omitManagedFields: true\n");
        }
        yaml.push_str("rules:\n");
        for rule in &self.rules {
            yaml.push_str(&rule.to_yaml());
        }
        yaml
    }
}

fn stages(yaml: &mut String, indent: &str, stages: &[PolicyStage]) {
    if !stages.is_empty() {
        let names: Vec<_> = stages.iter().map(|stage| stage.name()).collect();
        let _ = writeln!(yaml, "{indent}omitStages: [{}]", names.join(", "));
    }
}

fn field(yaml: &mut String, name: &str, values: &[String]) {
    if !values.is_empty() {
        let _ = writeln!(yaml, "  {name}: {}", list(values));
    }
}

fn list(values: &[String]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    format!("[{}]", quoted.join(", "))
}

/// A text in double quotes, which YAML 1.1 reads as itself.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for found in text.chars() {
        match found {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(found);
            }
            ' '..='~' => quoted.push(found),
            other => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(other));
            }
        }
    }
    quoted.push('"');
    quoted
}
