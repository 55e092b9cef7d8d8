//! A glob in, the objects it matches out. As for local files, a folder that matches is read with
//! everything in it.

use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectMeta;

use super::pattern::{GlobPattern, is_glob};
use super::search::{ListingSearch, PARALLEL};
use crate::source::store::{
    dates::PathDate,
    failure::{Failure, FailureKind},
    prefix_listing::PrefixListing,
};

impl ListingSearch<'_> {
    /// Finds everything that a glob matches, and possibly more: `finish` keeps what matches.
    pub(super) async fn glob(&mut self, pattern: &str) -> Result<(), Failure> {
        GlobPattern::new(pattern)?;
        let mut folders = vec![String::new()];
        let mut parts = pattern.split('/').peekable();
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            if part == "**" {
                for folder in folders {
                    self.folder(folder).await?;
                }
                return Ok(());
            }
            if !is_glob(part) {
                for folder in &mut folders {
                    folder.push_str(part);
                    // The empty part after a final slash: the folders have their slash already.
                    if !is_last {
                        folder.push('/');
                    }
                }
                if is_last {
                    return self.named(folders).await;
                }
                continue;
            }
            let (matched, objects) = self.matching(&folders, part).await?;
            if is_last {
                self.objects.extend(objects);
                for folder in matched {
                    self.folder(folder).await?;
                }
                return Ok(());
            }
            folders = matched;
        }
        Ok(())
    }

    /// Finds the objects and folders with these very names.
    async fn named(&mut self, names: Vec<String>) -> Result<(), Failure> {
        for name in names {
            if name.ends_with('/') {
                self.folder(name).await?;
                continue;
            }
            match self.cloud.head(&name).await {
                Ok(object) => self.objects.push(object),
                Err(failure) if failure.kind == FailureKind::NotFound => {}
                Err(failure) => return Err(failure),
            }
            self.folder(format!("{name}/")).await?;
        }
        Ok(())
    }

    /// The folders (without those of other days) and the objects in `folders` whose names match
    /// `part`.
    async fn matching(
        &mut self,
        folders: &[String],
        part: &str,
    ) -> Result<(Vec<String>, Vec<ObjectMeta>), Failure> {
        let pattern = GlobPattern::new(part)?;
        let common = common_prefix(part);
        let (cloud, odd_keys) = (self.cloud, &self.odd_keys);
        let levels: Vec<(String, PrefixListing)> = stream::iter(folders.to_vec())
            .map(|folder| async move {
                let prefix = format!("{folder}{common}");
                let level = cloud.list(&prefix, true, odd_keys).await?;
                Ok::<_, Failure>((folder, level))
            })
            .buffer_unordered(PARALLEL)
            .try_collect()
            .await?;
        let (mut matched, mut objects) = (Vec::new(), Vec::new());
        for (folder, level) in levels {
            let fits = |path: &str| {
                path.strip_prefix(&folder)
                    .is_some_and(|name| pattern.matches(name))
            };
            let dated = PathDate::of(&folder);
            for path in level.folders {
                if !fits(path.trim_end_matches('/')) {
                    continue;
                }
                let inside = path.strip_prefix(&folder).unwrap_or(&path);
                if self.days.is_some_and(|days| days.excludes(dated, inside)) {
                    self.pruned += 1;
                } else {
                    matched.push(path);
                }
            }
            let fitting = level.objects.into_iter();
            objects.extend(fitting.filter(|object| fits(object.location.as_ref())));
        }
        Ok((matched, objects))
    }
}

/// What all names that match begin with, without its last character: Azure leaves out the key that
/// is the prefix itself.
fn common_prefix(part: &str) -> &str {
    let literal = part.split(['*', '?', '[']).next().unwrap_or_default();
    literal
        .char_indices()
        .next_back()
        .and_then(|(at, _)| literal.get(..at))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_match() {
        let matches = |glob: &str, key: &str| GlobPattern::new(glob).unwrap().matches_path(key);
        assert!(matches("logs/*/a*.json", "logs/x/ab.json"));
        assert!(!matches("logs/*.json", "logs/x/ab.json"));
        assert!(matches("logs/x*", "logs/x1/y/z"));
        assert!(matches("logs/**/ab.json", "logs/x/y/ab.json"));
        assert!(GlobPattern::new("a[").is_err());
    }

    #[test]
    fn prefixes_of_globs() {
        assert_eq!(common_prefix("audit*"), "audi");
        assert_eq!(common_prefix("é?"), "");
        assert_eq!(common_prefix("*"), "");
    }
}
