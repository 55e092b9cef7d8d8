//! A glob in, whether a name or a key matches it out.

use glob::{MatchOptions, Pattern};

use crate::source::store::failure::Failure;

/// As a shell matches: `*` stays within its folder.
const LIKE_A_SHELL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// Does this text contain a wildcard?
pub(super) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// A compiled glob.
pub(super) struct GlobPattern(Pattern);

impl GlobPattern {
    pub(super) fn new(pattern: &str) -> Result<Self, Failure> {
        Pattern::new(pattern)
            .map(Self)
            .map_err(|error| Failure::refused(format!("invalid glob: {error}")))
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.0.matches_with(name, LIKE_A_SHELL)
    }

    /// Does it match the key, or one of the folders that the key lies in?
    pub(super) fn matches_path(&self, key: &str) -> bool {
        let ends = key.match_indices('/').map(|(at, _)| at).chain([key.len()]);
        ends.filter_map(|end| key.get(..end))
            .any(|path| self.matches(path))
    }
}
