//! Prefixes in, the objects below them out.
//!
//! Without a time window, a prefix is listed flat: a page holds a thousand keys. With a window, it
//! is listed level by level, so that folders of other days are never listed. Where there are many
//! folders that are not dates, listing is flat again.
//!
//! Not responsible for: which folders belong to other days (`dates.rs`).

use std::mem;

use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectMeta;

use super::pattern::GlobPattern;
use crate::source::store::{
    cloud::CloudStore,
    dates::{DayRange, FolderVerdict, PathDate},
    failure::Failure,
    odd_keys::OddKeys,
    prefix_listing::PrefixListing,
};

/// How many requests are under way at a time.
pub(super) const PARALLEL: usize = 16;

/// If more folders than this on one level are not dates, or so deep, they are listed flat.
const WIDE: usize = 100;
const DEEP: usize = 32;

/// After so many folders, the rest is listed flat.
const BUDGET: usize = 4000;

/// A folder that is still to be listed.
struct PendingFolder {
    prefix: String,
    dated: PathDate,
    /// With everything in its folders.
    is_flat: bool,
    depth: usize,
}

/// A search and what it has found so far.
pub(super) struct ListingSearch<'s> {
    pub(super) cloud: &'s CloudStore,
    pub(super) days: Option<DayRange>,
    pub(super) odd_keys: OddKeys,
    pub(super) objects: Vec<ObjectMeta>,
    pub(super) pruned: u64,
}

/// What a search has found.
pub(super) struct SearchResult {
    pub(super) objects: Vec<ObjectMeta>,
    pub(super) odd_keys: Vec<String>,
    /// How many folders and objects were skipped because of their date.
    pub(super) pruned: u64,
}

impl<'s> ListingSearch<'s> {
    pub(super) fn new(cloud: &'s CloudStore, days: Option<DayRange>) -> Self {
        Self {
            cloud,
            days,
            odd_keys: OddKeys::default(),
            objects: Vec::new(),
            pruned: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.pruned == 0 && !self.odd_keys.is_any()
    }

    /// Finds everything below a prefix.
    pub(super) async fn folder(&mut self, prefix: String) -> Result<(), Failure> {
        let dated = PathDate::of(&prefix);
        // A user who names the folder of a day wants that day.
        let days = self.days.filter(|_| !matches!(dated, PathDate::Day(_)));
        let mut folders = vec![PendingFolder {
            prefix,
            dated,
            is_flat: days.is_none(),
            depth: 0,
        }];
        let mut listed = 0;
        while !folders.is_empty() {
            listed += folders.len();
            let (cloud, odd_keys) = (self.cloud, &self.odd_keys);
            let levels: Vec<(PendingFolder, PrefixListing)> = stream::iter(mem::take(&mut folders))
                .map(|folder| async move {
                    let level = cloud
                        .list(&folder.prefix, !folder.is_flat, odd_keys)
                        .await?;
                    Ok::<_, Failure>((folder, level))
                })
                .buffer_unordered(PARALLEL)
                .try_collect()
                .await?;
            for (folder, level) in levels {
                match days {
                    Some(days) if !folder.is_flat => {
                        let budget = BUDGET.saturating_sub(listed);
                        folders.extend(self.enter(folder, level, days, budget));
                    }
                    Some(days) => self.take_flat(&folder, level, days),
                    None => self.objects.extend(level.objects),
                }
            }
        }
        Ok(())
    }

    /// Takes the objects of a folder, and says which of the folders in it come next.
    fn enter(
        &mut self,
        folder: PendingFolder,
        level: PrefixListing,
        days: DayRange,
        budget: usize,
    ) -> Vec<PendingFolder> {
        let names: Vec<&str> = level
            .folders
            .iter()
            .map(|path| {
                path.strip_prefix(&folder.prefix)
                    .unwrap_or(path)
                    .trim_end_matches('/')
            })
            .collect();
        let verdicts = days.judge(folder.dated, &names);
        let open = verdicts
            .iter()
            .filter(|verdict| matches!(verdict, FolderVerdict::Open(_)))
            .count();
        if open > WIDE || open > budget || (open > 0 && folder.depth >= DEEP) {
            // The flat listing includes the objects of this level.
            return vec![PendingFolder {
                is_flat: true,
                ..folder
            }];
        }
        self.objects.extend(level.objects);
        let mut next = Vec::new();
        for (prefix, verdict) in level.folders.into_iter().zip(verdicts) {
            let (dated, is_flat) = match verdict {
                FolderVerdict::Outside => {
                    self.pruned += 1;
                    continue;
                }
                FolderVerdict::Inside(day) => (PathDate::Day(day), true),
                FolderVerdict::Open(dated) => (dated, false),
            };
            next.push(PendingFolder {
                prefix,
                dated,
                is_flat,
                depth: folder.depth + 1,
            });
        }
        next
    }

    /// Takes what a flat listing found, without what belongs to other days.
    fn take_flat(&mut self, folder: &PendingFolder, level: PrefixListing, days: DayRange) {
        for object in level.objects {
            let path = object.location.as_ref();
            let inside = path.strip_prefix(&folder.prefix).unwrap_or(path);
            if days.excludes(folder.dated, inside) {
                self.pruned += 1;
            } else {
                self.objects.push(object);
            }
        }
    }

    /// What was found; with a glob, only what matches it.
    pub(super) async fn finish(self, pattern: Option<&str>) -> Result<SearchResult, Failure> {
        let (mut odd_keys, mut folders) = self.odd_keys.take();
        // Odd folders were not listed. Listed flat, all of their keys are odd ones.
        while let Some(folder) = folders.pop() {
            self.cloud.list(&folder, false, &self.odd_keys).await?;
            odd_keys.extend(self.odd_keys.take().0);
        }
        odd_keys.sort();
        odd_keys.dedup();
        let mut objects = self.objects;
        if let Some(pattern) = pattern {
            let pattern = GlobPattern::new(pattern.trim_end_matches('/'))?;
            objects.retain(|object| pattern.matches_path(object.location.as_ref()));
            odd_keys.retain(|key| pattern.matches_path(key));
        }
        Ok(SearchResult {
            objects,
            odd_keys,
            pruned: self.pruned,
        })
    }
}
