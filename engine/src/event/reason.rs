//! The authorization reason taken apart: the annotation `authorization.k8s.io/reason` in, names
//! out. A structured decision beside it comes first (`authorization`).
//!
//! RBAC writes `RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "r" to User "u"`, each name
//! quoted as Go's `%q` does, a RoleBinding and a ServiceAccount as `"name/namespace"`
//! (`pkg/registry/rbac/validation/rule.go` and `plugin/pkg/auth/authorizer/rbac/rbac.go`). EKS
//! access policies use the same sentence with another prefix.

use std::{borrow::Cow, cell::RefCell, collections::HashMap, sync::Arc};

/// What a reason says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reason {
    /// The authorizer: `rbac`, `eks-access-policy`, `gke-iam`, `node`, or one that only a structured
    /// decision names; `None` if nothing tells.
    pub(crate) authorizer: Option<Cow<'static, str>>,
    /// The grant, when the text names one.
    pub(crate) grant: Option<Grant>,
}

/// Reasons that were parsed before: a log has few different ones, and many of each.
#[derive(Debug, Default)]
pub(crate) struct ReasonCache {
    texts: RefCell<Reasons>,
    structured: RefCell<Reasons>,
}

type Reasons = HashMap<String, Arc<Reason>>;

impl ReasonCache {
    /// Hostile logs have another reason in each event: the cache then starts afresh.
    const MOST: usize = 4096;

    /// The reason with this text.
    pub(crate) fn parse(&self, text: &str) -> Arc<Reason> {
        Self::find(&self.texts, text, || Reason::parse(text))
    }

    /// What the structured decision `raw`, and the reason with this text beside it, say.
    pub(crate) fn structured(&self, raw: &str, text: &str) -> Arc<Reason> {
        let key = [raw, text].concat();
        Self::find(&self.structured, &key, || {
            Reason::structured(raw, Reason::parse(text))
        })
    }

    fn find(known: &RefCell<Reasons>, key: &str, read: impl FnOnce() -> Reason) -> Arc<Reason> {
        let mut known = known.borrow_mut();
        if let Some(reason) = known.get(key) {
            return Arc::clone(reason);
        }
        if known.len() == Self::MOST {
            known.clear();
        }
        let reason = Arc::new(read());
        known.insert(key.to_owned(), Arc::clone(&reason));
        reason
    }
}

/// A grant that sufficed; there may be others. A structured decision may leave parts of it out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) binding_kind: Option<String>,
    pub(crate) binding_namespace: Option<String>,
    pub(crate) binding_name: Option<String>,
    pub(crate) role_kind: Option<String>,
    pub(crate) role_name: Option<String>,
    pub(crate) subject_kind: Option<String>,
    pub(crate) subject_namespace: Option<String>,
    pub(crate) subject_name: Option<String>,
}

const RBAC: &str = "RBAC: ";
const EKS: &str = "EKS Access Policy: ";

impl Reason {
    pub(crate) fn parse(text: &str) -> Self {
        let (authorizer, sentence) = if let Some(rest) = text.strip_prefix(RBAC) {
            ("rbac", rest)
        } else if let Some(rest) = text.strip_prefix(EKS) {
            ("eks-access-policy", rest)
        } else {
            return Self {
                authorizer: prose(text).map(Cow::Borrowed),
                grant: None,
            };
        };
        Self {
            authorizer: Some(Cow::Borrowed(authorizer)),
            grant: Grant::parse(sentence),
        }
    }
}

/// The authorizers that write prose.
fn prose(text: &str) -> Option<&'static str> {
    if text.starts_with("access granted by IAM permissions") {
        return Some("gke-iam");
    }
    // The texts of several authorizers are joined by newlines.
    text.lines().any(is_node_refusal).then_some("node")
}

/// Is this one of the texts with which the Node authorizer refuses
/// (`plugin/pkg/auth/authorizer/node/node_authorizer.go`)?
fn is_node_refusal(line: &str) -> bool {
    const WHOLE: [&str; 17] = [
        "can only get/update/patch this type",
        "can only update status subresource",
        "can only get individual resources of this type",
        "cannot get subresource",
        "can only read resources of this type",
        "cannot read subresource",
        "can only read namespaced object of this type",
        "No Object name found",
        "can only create tokens for individual service accounts",
        "can only create token subresource of serviceaccount",
        "can only get, create, update, patch, or delete a node lease",
        "can only access node lease with the same name as the requesting node",
        "can only get, create, update, patch, or delete a CSINode",
        "cannot authorize CSINode subresources",
        "can only access CSINode with the same name as the requesting node",
        "cannot authorize ResourceSlice subresources",
        "can only list/watch/deletecollection resourceslices with nodeName field selector",
    ];
    const AROUND: [(&str, &str); 6] = [
        ("unknown node for user \"", "\""),
        ("no relationship found between node '", "' and this object"),
        ("can only access leases in the \"", "\" system namespace"),
        (
            "only the following verbs are allowed for a ResourceSlice: ",
            "",
        ),
        ("node '", ", only its own Node object"),
        (
            "can only list/watch pods with spec.nodeName field selector",
            "",
        ),
    ];
    WHOLE.contains(&line)
        || AROUND.iter().any(|(start, end)| {
            line.strip_prefix(start)
                .is_some_and(|rest| rest.ends_with(end))
        })
}

impl Grant {
    fn parse(sentence: &str) -> Option<Self> {
        let rest = sentence.strip_prefix("allowed by ")?;
        let (binding_kind, rest) = word(rest, &["ClusterRoleBinding", "RoleBinding"])?;
        let (binding, rest) = quoted(rest)?;
        let (role_kind, rest) = word(rest.strip_prefix(" of ")?, &["ClusterRole", "Role"])?;
        let (role_name, rest) = quoted(rest)?;
        let (subject_kind, rest) = word(
            rest.strip_prefix(" to ")?,
            &["User", "Group", "ServiceAccount"],
        )?;
        let (subject, rest) = quoted(rest)?;
        if !rest.is_empty() {
            return None;
        }
        let (binding_name, binding_namespace) = named(binding, binding_kind == "RoleBinding");
        let (subject_name, subject_namespace) = named(subject, subject_kind == "ServiceAccount");
        Some(Self {
            binding_kind: Some(binding_kind.to_owned()),
            binding_namespace,
            binding_name: Some(binding_name),
            role_kind: Some(role_kind.to_owned()),
            role_name: Some(role_name.into_owned()),
            subject_kind: Some(subject_kind.to_owned()),
            subject_namespace,
            subject_name: Some(subject_name),
        })
    }
}

/// One of `words` and a space.
fn word<'t>(text: &'t str, words: &[&'static str]) -> Option<(&'static str, &'t str)> {
    words
        .iter()
        .find_map(|&word| Some((word, text.strip_prefix(word)?.strip_prefix(' ')?)))
}

/// `name/namespace`, split at the last slash: neither name can hold one.
fn named(text: Cow<'_, str>, namespaced: bool) -> (String, Option<String>) {
    match text.rsplit_once('/') {
        Some((name, namespace)) if namespaced => (name.to_owned(), Some(namespace.to_owned())),
        _ => (text.into_owned(), None),
    }
}

/// A Go string literal in double quotes, as `strconv.Quote` writes it, and what follows it.
pub(crate) fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let inside = text.strip_prefix('"')?;
    let bytes = inside.as_bytes();
    let end = memchr::memchr2(b'"', b'\\', bytes)?;
    if bytes[end] == b'"' {
        return Some((Cow::Borrowed(&inside[..end]), &inside[end + 1..]));
    }
    let mut out = bytes[..end].to_vec();
    let mut at = end;
    loop {
        match *bytes.get(at)? {
            b'"' => {
                // `\x80` stands for a byte that is no UTF-8: there is no such text, so it is
                // replaced. Each such byte becomes one U+FFFD, as where Go writes it.
                let mut text = String::with_capacity(out.len());
                for chunk in out.utf8_chunks() {
                    text.push_str(chunk.valid());
                    text.extend(std::iter::repeat_n(
                        char::REPLACEMENT_CHARACTER,
                        chunk.invalid().len(),
                    ));
                }
                return Some((Cow::Owned(text), inside.get(at + 1..)?));
            }
            b'\\' => {
                let code = *bytes.get(at + 1)?;
                at += 2;
                let simple = match code {
                    b'a' => 7,
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => 11,
                    b'\\' | b'"' | b'\'' => code,
                    b'x' | b'u' | b'U' => {
                        let length = match code {
                            b'x' => 2,
                            b'u' => 4,
                            _ => 8,
                        };
                        let hex = inside.get(at..at + length)?;
                        let value = u32::from_str_radix(hex, 16).ok()?;
                        at += length;
                        if code == b'x' {
                            out.push(value as u8);
                        } else {
                            let ch = char::from_u32(value)?;
                            out.extend_from_slice(ch.encode_utf8(&mut [0; 4]).as_bytes());
                        }
                        continue;
                    }
                    _ => return None,
                };
                out.push(simple);
            }
            byte => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `strconv.Quote`, for what it does to text: quotes, backslashes, controls, and what Go does
    /// not print.
    fn go_quote(text: &str) -> String {
        let mut out = String::from('"');
        for ch in text.chars() {
            match ch {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\u{7}' => out.push_str("\\a"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{b}' => out.push_str("\\v"),
                ch if (ch as u32) < 0x20 || ch == '\u{7f}' => {
                    out.push_str(&format!("\\x{:02x}", ch as u32))
                }
                '\u{80}'..='\u{a0}'
                | '\u{ad}'
                | '\u{200b}'..='\u{200f}'
                | '\u{feff}'
                | '\u{e000}'..='\u{f8ff}' => {
                    out.push_str(&format!("\\u{:04x}", ch as u32));
                }
                ch if ch as u32 > 0xE0000 => out.push_str(&format!("\\U{:08x}", ch as u32)),
                ch => out.push(ch),
            }
        }
        out + "\""
    }

    proptest! {
        #[test]
        fn quoted_names_come_back(binding in "\\PC*|[\\x00-\\x7f]*|\u{200b}é.*", namespace in "[a-z0-9-]+", role in any::<String>(), subject in any::<String>()) {
            let text = format!(
                "RBAC: allowed by RoleBinding {} of Role {} to User {}",
                go_quote(&format!("{binding}/{namespace}")), go_quote(&role), go_quote(&subject),
            );
            let reason = Reason::parse(&text);
            prop_assert_eq!(reason.authorizer.as_deref(), Some("rbac"));
            let grant = reason.grant.unwrap();
            let kinds = [grant.binding_kind, grant.role_kind, grant.subject_kind];
            prop_assert_eq!(kinds.map(Option::unwrap), ["RoleBinding", "Role", "User"]);
            prop_assert_eq!((grant.binding_name, grant.binding_namespace), (Some(binding), Some(namespace)));
            prop_assert_eq!((grant.role_name, grant.subject_name, grant.subject_namespace), (Some(role), Some(subject), None));
        }

        #[test]
        fn no_text_panics(text in "(RBAC: allowed by )?(RoleBinding )?\"?\\PC*") {
            Reason::parse(&text);
        }
    }

    #[test]
    fn real_texts() {
        let grant = |text| Reason::parse(text).grant;
        let found = grant(
            r#"RBAC: allowed by ClusterRoleBinding "system:controller:node-controller" of ClusterRole "system:controller:node-controller" to ServiceAccount "node-controller/kube-system""#,
        )
        .unwrap();
        assert_eq!(found.subject_name.as_deref(), Some("node-controller"));
        assert_eq!(found.subject_namespace.as_deref(), Some("kube-system"));
        assert_eq!(found.binding_namespace, None);
        let eks = Reason::parse(
            r#"EKS Access Policy: allowed by ClusterRoleBinding "arn:aws:iam::1:role/a+arn:aws:eks::aws:p/b" of ClusterRole "arn:aws:eks::aws:p/b" to User "AROA""#,
        );
        assert_eq!(eks.authorizer.as_deref(), Some("eks-access-policy"));
        assert_eq!(
            eks.grant.unwrap().binding_name.as_deref(),
            Some("arn:aws:iam::1:role/a+arn:aws:eks::aws:p/b")
        );
        assert_eq!(Reason::parse(""), Reason::default());
        assert_eq!(
            Reason::parse("no relationship found between node 'n-1' and this object")
                .authorizer
                .as_deref(),
            Some("node")
        );
        assert_eq!(
            Reason::parse("by us\nNo Object name found")
                .authorizer
                .as_deref(),
            Some("node")
        );
        assert_eq!(
            Reason::parse("cannot do it, says our own authorizer")
                .authorizer
                .as_deref(),
            None
        );
        assert_eq!(
            Reason::parse("access granted by IAM permissions.")
                .authorizer
                .as_deref(),
            Some("gke-iam")
        );
        let dangling =
            Reason::parse(r#"RBAC: clusterrole.rbac.authorization.k8s.io "x" not found"#);
        assert_eq!(
            (dangling.authorizer.as_deref(), dangling.grant),
            (Some("rbac"), None)
        );
    }
}
