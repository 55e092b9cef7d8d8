//! Documents behind the first, which the apiserver does not read.

use super::{PolicyConcern, PolicyFinding};

/// A finding if something stands behind the first document of a YAML file.
pub(super) fn further_documents(bytes: &[u8]) -> Option<PolicyFinding> {
    let text = String::from_utf8_lossy(bytes);
    // A file that starts with a brace is JSON.
    if text.trim_start().starts_with('{') {
        return None;
    }
    let mut has_content = false;
    let mut second = None;
    for (index, line) in text.lines().enumerate() {
        let is_marker = |marker: &str| {
            line.strip_prefix(marker)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
        };
        let is_start = is_marker("---");
        if (is_start || is_marker("...")) && has_content {
            second = second.or(Some(index + 1));
        }
        let content = if is_start { &line[3..] } else { line };
        let content = content.trim();
        let is_content =
            !content.is_empty() && !content.starts_with(['#', '%']) && content != "...";
        if let (true, Some(line)) = (is_content, second) {
            return Some(PolicyFinding {
                code: "further-document",
                concern: PolicyConcern::Warning,
                rule: None,
                line,
                message: "the apiserver reads the first document only, and ignores what follows"
                    .to_owned(),
                mend: "put all rules into one document".to_owned(),
            });
        }
        has_content |= is_content;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_documents_with_content_count() {
        let line = |text: &str| Some(further_documents(text.as_bytes())?.line);
        assert_eq!(line("a: b\n"), None);
        assert_eq!(line("---\na: b\n---\n"), None);
        assert_eq!(line("# x\n---\na: b\n...\n# end\n"), None);
        assert_eq!(line("a: b\n---\nc: d\n"), Some(2));
        assert_eq!(line("a: b\n--- {c: d}\n"), Some(2));
        assert_eq!(line("a: '\n---x\n'\n"), None);
        assert_eq!(line("{\"a\": 1}\n---\nc: d\n"), None);
    }
}
