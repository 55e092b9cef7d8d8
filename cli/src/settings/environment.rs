//! The environment: variables and the home folder, read once.

use std::{
    env,
    path::{Path, PathBuf},
};

use auditql_engine::StoreSettings;

/// What the environment says.
#[derive(Debug)]
pub(super) struct Environment {
    /// `AUDITQL_INPUT`: the inputs of commands that are given none.
    pub(super) inputs: Vec<String>,
    /// `AUDITQL_LIBRARY`: folders of saved queries, separated as in PATH.
    pub(super) library: Vec<PathBuf>,
    /// `NO_COLOR` and `TERM` do not speak against colours.
    pub(super) allows_color: bool,
    /// Credentials and endpoints of object stores.
    pub(super) stores: StoreSettings,
    /// The folder for state: `$XDG_STATE_HOME/auditql`, or else `~/.local/state/auditql`.
    pub(super) state: Option<PathBuf>,
}

impl Environment {
    pub(super) fn read() -> Self {
        let home = env::home_dir();
        Self {
            inputs: inputs(&env::var("AUDITQL_INPUT").unwrap_or_default()),
            library: env::var_os("AUDITQL_LIBRARY")
                .map(|list| env::split_paths(&list).collect::<Vec<_>>())
                .unwrap_or_default()
                .into_iter()
                .filter(|folder| !folder.as_os_str().is_empty())
                .collect(),
            allows_color: env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                && env::var_os("TERM").is_none_or(|term| term != "dumb"),
            state: state(
                env::var_os("XDG_STATE_HOME").map(PathBuf::from),
                home.as_deref(),
            ),
            stores: StoreSettings {
                // No store has a setting that is not UTF-8.
                variables: env::vars_os()
                    .filter_map(|(name, value)| {
                        Some((name.into_string().ok()?, value.into_string().ok()?))
                    })
                    .collect(),
                home,
            },
        }
    }
}

/// The names in a comma-separated list.
fn inputs(list: &str) -> Vec<String> {
    list.split(',')
        .map(str::trim)
        .filter(|input| !input.is_empty())
        .map(str::to_owned)
        .collect()
}

fn state(xdg: Option<PathBuf>, home: Option<&Path>) -> Option<PathBuf> {
    // The XDG specification: relative paths are invalid and ignored.
    xdg.filter(|path| path.is_absolute())
        .or_else(|| Some(home?.join(".local/state")))
        .map(|state| state.join("auditql"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_folders() {
        assert_eq!(inputs(" a.log, b.log,,"), ["a.log", "b.log"]);
        assert!(inputs("").is_empty());
        let home = Path::new("/home/alice");
        let expected = |path: &str| Some(PathBuf::from(path));
        assert_eq!(
            state(None, Some(home)),
            expected("/home/alice/.local/state/auditql")
        );
        assert_eq!(
            state(expected("/state"), Some(home)),
            expected("/state/auditql")
        );
        assert_eq!(
            state(expected("state"), Some(home)),
            expected("/home/alice/.local/state/auditql")
        );
        assert_eq!(state(None, None), None);
    }
}
