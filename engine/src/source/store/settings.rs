//! The user's environment variables and home folder in, single settings out.
//!
//! Not responsible for: what a variable means (each store knows its own).

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

/// Settings of stores: environment variables and the home folder. The engine reads neither itself,
/// its caller does.
#[derive(Clone, Default)]
pub struct StoreSettings {
    /// Environment variables by name. Those of other programs are ignored.
    pub variables: BTreeMap<String, String>,
    /// The user's home folder, with profiles and the credentials of other command lines.
    pub home: Option<PathBuf>,
}

impl fmt::Debug for StoreSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Many of the values are secrets.
        f.debug_struct("StoreSettings")
            .field("variables", &self.variables.keys())
            .field("home", &self.home)
            .finish()
    }
}

impl StoreSettings {
    /// The value of a variable. Empty counts as unset.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Does this variable say yes?
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(is_true)
    }

    /// The variables whose names begin with `prefix`, in the order of their names.
    pub(super) fn beginning_with<'s>(
        &'s self,
        prefix: &'s str,
    ) -> impl Iterator<Item = (&'s str, &'s str)> {
        self.variables
            .iter()
            .filter(move |(name, value)| name.starts_with(prefix) && !value.is_empty())
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The path in a setting. `~` is the home folder.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(text),
        }
    }

    /// A path below the home folder, if there is one.
    pub(super) fn below_home(&self, path: impl AsRef<Path>) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join(path))
    }
}

/// Is this one of the words that `object_store` takes for yes?
pub(super) fn is_true(value: &str) -> bool {
    matches!(
        value.to_ascii_lowercase().as_str(),
        "1" | "true" | "on" | "yes" | "y"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let variables = BTreeMap::from([("AWS_SECRET_ACCESS_KEY".to_owned(), "hush".to_owned())]);
        let shown = format!(
            "{:?}",
            StoreSettings {
                variables,
                home: None
            }
        );
        assert!(
            shown.contains("AWS_SECRET_ACCESS_KEY") && !shown.contains("hush"),
            "{shown}"
        );
    }
}
