//! The first members of a JSON value whose end may be missing: the beginning of a file in, whether it
//! is of Kubernetes objects out.
//!
//! `kubectl get -o json` sorts members: a list has `apiVersion`, then all its `items`, and `kind` at
//! the end of the file, so that the first item has to tell. Nothing inside an object counts: audit
//! events and log entries hold whole objects.

/// The API group of audit events and policies.
pub(super) const AUDIT_GROUP: &str = "audit.k8s.io/";

/// What the outermost levels of a value say.
#[derive(Debug, Default)]
struct ValueOutline {
    has_kind: bool,
    has_version: bool,
    has_items: bool,
    is_audit: bool,
}

/// Is this the beginning of Kubernetes objects other than audit events?
pub(super) fn is_of_objects(head: &str) -> bool {
    let mut outer = ValueOutline::default();
    let mut item = ValueOutline::default();
    let mut walk = JsonWalk::new(head);
    // Depth of the members of the outermost object: 2 in `[{`.
    let top = if head.trim_start().starts_with('[') {
        2
    } else {
        1
    };
    let mut of_items = false;
    while let Some(member) = walk.next_member() {
        if member.depth == top {
            outer.note(&member);
            of_items = member.name == "items";
        } else if of_items && member.depth == top + 2 {
            item.note(&member);
        }
    }
    if outer.is_audit || item.is_audit {
        return false;
    }
    let is_object = |outline: &ValueOutline| outline.has_kind && outline.has_version;
    // Both levels of a list: an empty one has no first item.
    is_object(&outer) || (outer.has_items && outer.has_version && is_object(&item))
}

impl ValueOutline {
    fn note(&mut self, member: &OutlineMember<'_>) {
        let text = member.text.unwrap_or_default();
        match member.name {
            "kind" => self.has_kind |= !text.is_empty(),
            "apiVersion" => {
                self.has_version |= !text.is_empty();
                self.is_audit |= text.starts_with(AUDIT_GROUP);
            }
            "items" => self.has_items = true,
            // Events of an older or a mapped format need not say their version.
            "auditID" => self.is_audit = true,
            _ => {}
        }
    }
}

/// A member: how many brackets are open around it, its name as written, and its value if that is
/// text.
struct OutlineMember<'t> {
    depth: usize,
    name: &'t str,
    text: Option<&'t str>,
}

/// Walks the members of a value in the order in which they are written.
struct JsonWalk<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> JsonWalk<'t> {
    const fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    fn next_member(&mut self) -> Option<OutlineMember<'t>> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            self.at += 1;
            match byte {
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.checked_sub(1)?;
                    // The first value has ended: another may be of another kind.
                    if self.depth == 0 {
                        return None;
                    }
                }
                b'"' => {
                    let name = self.string()?;
                    if self.peek() != Some(b':') {
                        continue;
                    }
                    self.at += 1;
                    let text = (self.peek() == Some(b'"')).then(|| {
                        self.at += 1;
                        self.string()
                    });
                    return Some(OutlineMember {
                        depth: self.depth,
                        name,
                        text: text.flatten(),
                    });
                }
                _ => {}
            }
        }
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace());
        self.at += blank.count();
        self.text.as_bytes().get(self.at).copied()
    }

    /// The rest of a string, escapes as written.
    fn string(&mut self) -> Option<&'t str> {
        let start = self.at;
        let mut escaped = false;
        for (at, byte) in self.text.as_bytes().iter().enumerate().skip(start) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    self.at = at + 1;
                    return self.text.get(start..at);
                }
                _ => {}
            }
        }
        self.at = self.text.len();
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_told_from_logs() {
        for objects in [
            r#"{"kind":"Role","apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"#,
            r#"{"apiVersion":"v1","items":[{"apiVersion":"v1","kind":"Secret","data":{"a":"#,
            r#"{"apiVersion": "v1", "items": [], "kind": "List"}"#,
            r#"[{"kind":"Role","apiVersion":"rbac.authorization.k8s.io/v1"}]"#,
        ] {
            assert!(is_of_objects(objects), "{objects}");
        }
        for other in [
            r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","requestObject":{"kind":"Pod","apiVersion":"v1"}}"#,
            r#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"auditID":"a"}]}"#,
            r#"{"items":[{"auditID":"a","kind":"Event","apiVersion":"x"}],"apiVersion":"v1"}"#,
            r#"{"protoPayload":{"request":{"kind":"Pod","apiVersion":"v1"}},"logName":"x"}"#,
            r#"{"auditID":"a","requestObject":{"kind":"Pod","apiVersion":"v1"}}"#,
            r#"{"a":1}{"kind":"Role","apiVersion":"v1"}"#,
            "[1, 2]",
            "{",
            "",
        ] {
            assert!(!is_of_objects(other), "{other}");
        }
    }
}
