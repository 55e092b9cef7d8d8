//! A key, a folder or a glob in a bucket in, objects out; of a time window only those that can hold
//! it.
//!
//! A listing without a window is taken flat: a page holds a thousand keys. With a window it is
//! taken folder by folder, so that the folders of other days are never listed, and flat again where
//! there are many folders that are no dates.
//!
//! Not responsible for: which folders are of other days (`dates.rs`), pages (`cloud.rs`).

use futures::{StreamExt, TryStreamExt, stream};
use glob::{MatchOptions, Pattern};
use object_store::ObjectMeta;

use super::{
    Listed, StoreObject,
    cloud::{Cloud, Level, ODD},
    dates::{Dated, Days, Verdict},
    failure::{Failure, Kind},
    page::OddKeys,
    place::Target,
};

/// Requests at a time.
const PARALLEL: usize = 16;

/// More folders than this that are no dates are listed together, and folders so deep.
const WIDE: usize = 100;
const DEEP: usize = 32;

/// After so many folders the rest is listed flat.
const BUDGET: usize = 4000;

/// As a shell matches: `*` stays in its folder.
const AS_A_SHELL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// The objects behind what the user named.
///
/// # Errors
///
/// When it finds nothing: that is a mistake.
pub(super) async fn list(
    cloud: &Cloud,
    target: &Target,
    days: Option<Days>,
) -> Result<Listed, Failure> {
    let key = target.key.as_str();
    let mut search = Search {
        cloud,
        days,
        odd_keys: OddKeys::default(),
        objects: Vec::new(),
        pruned: 0,
    };
    let mut why = Failure::new(Kind::NotFound, "there is no such object or folder");
    let is_folder = key.is_empty() || key.ends_with('/');
    if !is_folder {
        match cloud.head(key).await {
            Ok(object) => {
                let object = (target.uri(key), stored(target, &object), true);
                return Ok(Listed {
                    objects: vec![object],
                    failures: Vec::new(),
                    pruned: 0,
                });
            }
            Err(failure) if matches!(failure.kind, Kind::NotFound | Kind::Refused) => {
                // The answer to this request has no words; that to the listing has, if it comes to
                // that.
                if failure.kind == Kind::Refused || failure.message == ODD {
                    why = failure;
                }
            }
            Err(failure) => return Err(failure),
        }
    }
    let mut pattern = is_glob(key).then_some(key);
    if let Some(pattern) = pattern {
        search.glob(pattern).await?;
    }
    if search.is_empty() {
        // A folder may have brackets in its name.
        pattern = None;
        let folder = if is_folder {
            key.to_owned()
        } else {
            format!("{key}/")
        };
        search.folder(folder).await?;
    }
    let (odd_keys, pruned, mut objects) = search.finish(pattern).await?;
    if objects.is_empty() && odd_keys.is_empty() && pruned == 0 {
        if is_glob(key) && why.kind == Kind::NotFound {
            why = Failure::new(Kind::NotFound, "no object matches this glob");
        } else if is_folder && why.kind == Kind::NotFound {
            why = Failure::new(Kind::NotFound, "there is no object in this folder");
        }
        return Err(why);
    }
    objects.sort_by(|one, other| one.location.as_ref().cmp(other.location.as_ref()));
    objects.dedup_by(|one, other| one.location == other.location);
    Ok(Listed {
        objects: objects
            .iter()
            .map(|object| {
                (
                    target.uri(object.location.as_ref()),
                    stored(target, object),
                    false,
                )
            })
            .collect(),
        failures: odd_keys
            .into_iter()
            .map(|key| (target.uri(&key), ODD.to_owned()))
            .collect(),
        pruned,
    })
}

fn stored(target: &Target, object: &ObjectMeta) -> StoreObject {
    StoreObject {
        root: target.root.clone(),
        key: object.location.as_ref().to_owned(),
        size: Some(object.size),
        etag: object.e_tag.clone(),
    }
}

fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// A folder that is still to be listed.
struct Folder {
    prefix: String,
    dated: Dated,
    /// With all that is in its folders.
    flat: bool,
    depth: usize,
}

/// A search and what it has found.
struct Search<'s> {
    cloud: &'s Cloud,
    days: Option<Days>,
    odd_keys: OddKeys,
    objects: Vec<ObjectMeta>,
    pruned: u64,
}

impl Search<'_> {
    fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.pruned == 0 && !self.odd_keys.is_any()
    }

    /// Everything below a prefix.
    async fn folder(&mut self, prefix: String) -> Result<(), Failure> {
        let dated = Dated::of(&prefix);
        // Whoever names a day wants that day.
        let days = self.days.filter(|_| !matches!(dated, Dated::Day(_)));
        let mut folders = vec![Folder {
            prefix,
            dated,
            flat: days.is_none(),
            depth: 0,
        }];
        let mut listed = 0;
        while !folders.is_empty() {
            listed += folders.len();
            let (cloud, odd_keys) = (self.cloud, &self.odd_keys);
            let levels: Vec<(Folder, Level)> = stream::iter(std::mem::take(&mut folders))
                .map(|folder| async move {
                    let level = cloud.list(&folder.prefix, !folder.flat, odd_keys).await?;
                    Ok::<_, Failure>((folder, level))
                })
                .buffer_unordered(PARALLEL)
                .try_collect()
                .await?;
            for (folder, level) in levels {
                match days {
                    Some(days) if !folder.flat => folders.extend(self.enter(
                        folder,
                        level,
                        days,
                        BUDGET.saturating_sub(listed),
                    )),
                    Some(days) => self.take_flat(&folder, level, days),
                    None => self.objects.extend(level.objects),
                }
            }
        }
        Ok(())
    }

    /// Takes the objects of a folder, and tells which of the folders in it come next.
    fn enter(&mut self, folder: Folder, level: Level, days: Days, budget: usize) -> Vec<Folder> {
        let name = |path: &str| {
            path.strip_prefix(&folder.prefix)
                .unwrap_or(path)
                .trim_end_matches('/')
                .to_owned()
        };
        let names: Vec<String> = level.folders.iter().map(|path| name(path)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let verdicts = days.judge(folder.dated, &names);
        let open = verdicts
            .iter()
            .filter(|verdict| matches!(verdict, Verdict::Open(_)))
            .count();
        if open > WIDE || open > budget || (open > 0 && folder.depth >= DEEP) {
            // Its objects come again with the flat listing.
            return vec![Folder {
                flat: true,
                ..folder
            }];
        }
        self.objects.extend(level.objects);
        let mut next = Vec::new();
        for (prefix, verdict) in level.folders.into_iter().zip(verdicts) {
            let (dated, flat) = match verdict {
                Verdict::Outside => {
                    self.pruned += 1;
                    continue;
                }
                Verdict::Inside(day) => (Dated::Day(day), true),
                Verdict::Open(dated) => (dated, false),
            };
            next.push(Folder {
                prefix,
                dated,
                flat,
                depth: folder.depth + 1,
            });
        }
        next
    }

    /// Takes what a flat listing found, without what is of another time.
    fn take_flat(&mut self, folder: &Folder, level: Level, days: Days) {
        for object in level.objects {
            let path = object.location.as_ref();
            if days.excludes(
                folder.dated,
                path.strip_prefix(&folder.prefix).unwrap_or(path),
            ) {
                self.pruned += 1;
            } else {
                self.objects.push(object);
            }
        }
    }

    /// Everything that a glob matches; a folder that it matches is meant with all that is in it, as
    /// locally.
    async fn glob(&mut self, pattern: &str) -> Result<(), Failure> {
        compiled(pattern)?;
        let mut folders = vec![String::new()];
        let mut parts = pattern.split('/').peekable();
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            if part == "**" {
                // Of what lies below, `finish` keeps what matches.
                for folder in folders {
                    self.folder(folder).await?;
                }
                return Ok(());
            }
            if !is_glob(part) {
                for folder in &mut folders {
                    folder.push_str(part);
                    // A slash at the end: folders are meant, and they have theirs already.
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

    /// The objects of these very names, and the folders.
    async fn named(&mut self, names: Vec<String>) -> Result<(), Failure> {
        for name in names {
            if name.ends_with('/') {
                self.folder(name).await?;
                continue;
            }
            match self.cloud.head(&name).await {
                Ok(object) => self.objects.push(object),
                Err(failure) if failure.kind == Kind::NotFound => {}
                Err(failure) => return Err(failure),
            }
            self.folder(format!("{name}/")).await?;
        }
        Ok(())
    }

    /// The folders, without those of other days, and the objects in `folders` whose names match
    /// `part`.
    async fn matching(
        &mut self,
        folders: &[String],
        part: &str,
    ) -> Result<(Vec<String>, Vec<ObjectMeta>), Failure> {
        let pattern = compiled(part)?;
        // What all names begin with; without the last character, because Azure leaves out the key
        // that is the prefix itself.
        let literal = part.split(['*', '?', '[']).next().unwrap_or_default();
        let common = literal
            .char_indices()
            .next_back()
            .and_then(|(at, _)| literal.get(..at))
            .unwrap_or_default();
        let (cloud, odd_keys) = (self.cloud, &self.odd_keys);
        let levels: Vec<(String, Level)> = stream::iter(folders.to_vec())
            .map(|folder| async move {
                let level = cloud
                    .list(&format!("{folder}{common}"), true, odd_keys)
                    .await?;
                Ok::<_, Failure>((folder, level))
            })
            .buffer_unordered(PARALLEL)
            .try_collect()
            .await?;
        let (mut matched, mut objects) = (Vec::new(), Vec::new());
        for (folder, level) in levels {
            let fits = |path: &str| {
                path.strip_prefix(&folder)
                    .is_some_and(|name| pattern.matches_with(name, AS_A_SHELL))
            };
            let fitting: Vec<String> = level
                .folders
                .into_iter()
                .filter(|path| fits(path.trim_end_matches('/')))
                .collect();
            let dated = Dated::of(&folder);
            for path in fitting {
                if self.days.is_some_and(|days| {
                    days.excludes(dated, path.strip_prefix(&folder).unwrap_or(&path))
                }) {
                    self.pruned += 1;
                } else {
                    matched.push(path);
                }
            }
            objects.extend(
                level
                    .objects
                    .into_iter()
                    .filter(|object| fits(object.location.as_ref())),
            );
        }
        Ok((matched, objects))
    }

    /// The odd keys, the number of what was left out, and the objects.
    async fn finish(
        self,
        pattern: Option<&str>,
    ) -> Result<(Vec<String>, u64, Vec<ObjectMeta>), Failure> {
        let (mut keys, mut folders) = self.odd_keys.take();
        // Folders that could not be looked into: listed flat, each of their keys is an odd one.
        while let Some(folder) = folders.pop() {
            self.cloud.list(&folder, false, &self.odd_keys).await?;
            keys.extend(self.odd_keys.take().0);
        }
        keys.sort();
        keys.dedup();
        let mut objects = self.objects;
        if let Some(pattern) = pattern {
            let pattern = compiled(pattern.trim_end_matches('/'))?;
            objects.retain(|object| matches(&pattern, object.location.as_ref()));
            keys.retain(|key| matches(&pattern, key));
        }
        Ok((keys, self.pruned, objects))
    }
}

fn compiled(pattern: &str) -> Result<Pattern, Failure> {
    Pattern::new(pattern).map_err(|error| Failure::refused(format!("is no glob: {error}")))
}

/// Does the pattern match the key, or one of the folders that it is in?
fn matches(pattern: &Pattern, key: &str) -> bool {
    let ends = key.match_indices('/').map(|(at, _)| at).chain([key.len()]);
    ends.filter_map(|end| key.get(..end))
        .any(|path| pattern.matches_with(path, AS_A_SHELL))
}

#[cfg(test)]
mod tests {
    use std::{
        fmt,
        sync::{Arc, Mutex},
    };

    use async_trait::async_trait;
    use futures::{executor::block_on, stream::BoxStream};
    use object_store::{
        CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectStore,
        ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult,
        Result as StoreResult,
        list::{PaginatedListOptions, PaginatedListResult, PaginatedListStore},
        memory::InMemory,
        path::Path,
    };

    use super::*;
    use crate::{event::parse_micros, source::store::cloud::Tags};

    /// A store in memory that remembers which prefixes it was asked for.
    #[derive(Debug, Clone, Default)]
    struct Memory {
        store: Arc<InMemory>,
        asked: Arc<Mutex<Vec<String>>>,
    }

    impl fmt::Display for Memory {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Memory")
        }
    }

    #[async_trait]
    impl ObjectStore for Memory {
        async fn put_opts(
            &self,
            location: &Path,
            payload: PutPayload,
            opts: PutOptions,
        ) -> StoreResult<PutResult> {
            self.store.put_opts(location, payload, opts).await
        }

        async fn put_multipart_opts(
            &self,
            location: &Path,
            opts: PutMultipartOptions,
        ) -> StoreResult<Box<dyn MultipartUpload>> {
            self.store.put_multipart_opts(location, opts).await
        }

        async fn get_opts(&self, location: &Path, options: GetOptions) -> StoreResult<GetResult> {
            self.store.get_opts(location, options).await
        }

        fn delete_stream(
            &self,
            locations: BoxStream<'static, StoreResult<Path>>,
        ) -> BoxStream<'static, StoreResult<Path>> {
            self.store.delete_stream(locations)
        }

        fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
            self.store.list(prefix)
        }

        async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
            self.store.list_with_delimiter(prefix).await
        }

        async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
            self.store.copy_opts(from, to, options).await
        }
    }

    #[async_trait]
    impl PaginatedListStore for Memory {
        async fn list_paginated(
            &self,
            prefix: Option<&str>,
            options: PaginatedListOptions,
        ) -> StoreResult<PaginatedListResult> {
            let prefix = prefix.unwrap_or_default();
            self.asked.lock().unwrap().push(prefix.to_owned());
            let all: Vec<ObjectMeta> = self.store.list(None).try_collect().await?;
            let mut result = ListResult {
                common_prefixes: Vec::new(),
                objects: Vec::new(),
            };
            for object in all {
                let Some(rest) = object.location.as_ref().strip_prefix(prefix) else {
                    continue;
                };
                match rest.split_once('/').filter(|_| options.delimiter.is_some()) {
                    Some((folder, _)) => {
                        let folder = Path::parse(format!("{prefix}{folder}")).unwrap();
                        if !result.common_prefixes.contains(&folder) {
                            result.common_prefixes.push(folder);
                        }
                    }
                    None => result.objects.push(object),
                }
            }
            Ok(PaginatedListResult {
                result,
                page_token: None,
            })
        }
    }

    struct Asked {
        listed: Result<Listed, Failure>,
        prefixes: Vec<String>,
    }

    impl Asked {
        fn keys(&self) -> Vec<&str> {
            self.listed
                .as_ref()
                .unwrap()
                .objects
                .iter()
                .map(|(_, object, _)| object.key.as_str())
                .collect()
        }

        fn pruned(&self) -> u64 {
            self.listed.as_ref().unwrap().pruned
        }
    }

    /// Lists a URL of a bucket that holds these keys, in the window of one day.
    fn ask<K: AsRef<str>>(keys: &[K], url: &str, day: Option<&str>) -> Asked {
        let memory = Memory::default();
        for key in keys {
            block_on(memory.store.put(
                &Path::parse(key.as_ref()).unwrap(),
                PutPayload::from(vec![b'x']),
            ))
            .unwrap();
        }
        let cloud = Cloud::new(memory.clone(), Tags::Unused);
        let since = day.and_then(|day| parse_micros(&format!("{day}T10:00:00Z")));
        let days = Days::of(since, since.map(|since| since + 1));
        let listed = block_on(list(&cloud, &Target::parse(url).unwrap(), days));
        let prefixes = memory.asked.lock().unwrap().clone();
        Asked { listed, prefixes }
    }

    #[test]
    fn objects_folders_and_globs() {
        let keys = [
            "a/x.json",
            "a/b/y.json",
            "a/b/z.log",
            "ab/x.json",
            "c[1]/x",
            "top",
        ];
        let found = |key: &str| {
            ask(&keys, &format!("gs://bucket/{key}"), None)
                .keys()
                .join(" ")
        };
        assert_eq!(
            found(""),
            "a/b/y.json a/b/z.log a/x.json ab/x.json c[1]/x top"
        );
        assert_eq!(
            found("a"),
            "a/b/y.json a/b/z.log a/x.json",
            "a folder, not all that begins so"
        );
        assert_eq!(found("a/b/"), "a/b/y.json a/b/z.log");
        assert_eq!(
            found("a*"),
            "a/b/y.json a/b/z.log a/x.json ab/x.json",
            "a folder is meant with what is in it"
        );
        assert_eq!(found("a*/*.json"), "a/x.json ab/x.json");
        assert_eq!(found("**/*.json"), "a/b/y.json a/x.json ab/x.json");
        assert_eq!(found("*/b"), "a/b/y.json a/b/z.log");
        assert_eq!(found("?b/x.json"), "ab/x.json");
        assert_eq!(found("c[1]/x"), "c[1]/x");
        assert_eq!(found("c[1]"), "c[1]/x");
        let named = ask(&keys, "gs://bucket/top", None).listed.unwrap();
        assert_eq!(
            named
                .objects
                .first()
                .map(|(uri, _, named)| (uri.as_str(), *named)),
            Some(("gs://bucket/top", true))
        );
        for (key, why) in [
            ("none", "no such object"),
            ("a/c/", "no object in this folder"),
            ("x*", "no object matches"),
            ("t*/", "no object matches"),
        ] {
            let failure = ask(&keys, &format!("gs://bucket/{key}"), None)
                .listed
                .unwrap_err();
            assert!(failure.message.contains(why), "{key}: {}", failure.message);
        }
    }

    #[test]
    fn days_that_cannot_be_of_the_window_are_not_listed() {
        let mut keys = vec!["logs/README".to_owned()];
        for day in 1..=30 {
            keys.push(format!("logs/activity/2026/11/{day:02}/00:00:00_S0.json"));
            keys.push(format!(
                "logs/resourceId=/S/y=2026/m=11/d={day:02}/h=07/m=00/PT1H.json"
            ));
            keys.push(format!("logs/date=2026-11-{day:02}/x"));
        }
        let asked = ask(&keys, "gs://bucket/logs/", Some("2026-11-21"));
        let want: Vec<String> = keys
            .into_iter()
            .filter(|key| {
                ["README", "20/", "21/", "22/"]
                    .iter()
                    .any(|day| key.contains(day))
            })
            .collect();
        let mut got = asked.keys();
        got.sort_unstable();
        let mut want: Vec<&str> = want.iter().map(String::as_str).collect();
        want.sort_unstable();
        assert_eq!(got, want);
        assert_eq!((got.len(), asked.pruned()), (10, 81));
        assert!(
            !asked.prefixes.iter().any(|prefix| prefix.contains("19")),
            "{:?}",
            asked.prefixes
        );
        // A day that is named is read.
        assert_eq!(
            ask(
                &["a/2026/11/01/x"],
                "gs://bucket/a/2026/11/01/",
                Some("2026-11-21")
            )
            .keys(),
            ["a/2026/11/01/x"]
        );
        let none = ask(&["a/2026/11/01/x"], "gs://bucket/a/", Some("2026-11-21"));
        assert_eq!((none.keys().len(), none.pruned()), (0, 1), "not an error");
    }

    #[test]
    fn many_folders_are_listed_together() {
        let keys: Vec<String> = (0..150)
            .flat_map(|pod| [1, 21].map(|day| format!("p/pod-{pod}/2026/11/{day:02}/x")))
            .collect();
        let asked = ask(&keys, "gs://bucket/p/", Some("2026-11-21"));
        assert_eq!((asked.keys().len(), asked.pruned()), (150, 150));
        assert_eq!(asked.prefixes, ["p/", "p/"]);
    }

    #[test]
    fn parts_of_globs() {
        let pattern = |text: &str| Pattern::new(text).unwrap();
        assert!(matches(&pattern("logs/*/a*.json"), "logs/x/ab.json"));
        assert!(!matches(&pattern("logs/*.json"), "logs/x/ab.json"));
        assert!(matches(&pattern("logs/x*"), "logs/x1/y/z"));
        assert!(matches(&pattern("logs/**/ab.json"), "logs/x/y/ab.json"));
    }
}
