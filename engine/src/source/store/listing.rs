//! A key, a folder or a glob in a bucket in; out come objects, without those that cannot be of the
//! time window.
//!
//! - [`search`] lists folders, level by level if there is a window;
//! - [`glob`] finds what a glob matches.
//!
//! Not responsible for: which folders belong to other days (`dates.rs`), and pages (`cloud.rs`).

mod glob;
mod pattern;
mod search;
#[cfg(test)]
mod tests;

use object_store::ObjectMeta;

use self::{pattern::is_glob, search::ListingSearch};
use super::{
    StoreListing, StoreObject,
    cloud::{CloudStore, ODD},
    dates::DayRange,
    failure::{Failure, FailureKind},
    object::ObjectState,
    uri::UriTarget,
};

/// The objects that a target stands for.
///
/// # Errors
///
/// If there are none: a name that finds nothing is a mistake.
pub(super) async fn list(
    cloud: &CloudStore,
    target: &UriTarget,
    days: Option<DayRange>,
) -> Result<StoreListing, Failure> {
    let key = target.key.as_str();
    let is_folder = key.is_empty() || key.ends_with('/');
    let mut why = None;
    if !is_folder {
        match cloud.head(key).await {
            Ok(object) => {
                let object = (target.uri(key), stored(target, &object), true);
                return Ok(StoreListing {
                    objects: vec![object],
                    ..StoreListing::default()
                });
            }
            // Reported if the listing finds nothing. If it is refused too, its answer says more:
            // the answer to this request has no body.
            Err(failure) if failure.kind == FailureKind::Refused => why = Some(failure),
            Err(failure) if failure.message == ODD && !is_glob(key) => why = Some(failure),
            Err(failure) if failure.kind == FailureKind::NotFound => {}
            Err(failure) => return Err(failure),
        }
    }
    let mut search = ListingSearch::new(cloud, days);
    let mut pattern = is_glob(key).then_some(key);
    if let Some(pattern) = pattern {
        search.glob(pattern).await?;
    }
    if search.is_empty() {
        // Not a glob after all: a folder may have brackets in its name.
        pattern = None;
        let slash = if is_folder { "" } else { "/" };
        search.folder(format!("{key}{slash}")).await?;
    }
    let mut found = search.finish(pattern).await?;
    if found.objects.is_empty() && found.odd_keys.is_empty() && found.pruned == 0 {
        return Err(why.unwrap_or_else(|| nothing(key, is_folder)));
    }
    found
        .objects
        .sort_by(|one, other| one.location.as_ref().cmp(other.location.as_ref()));
    found
        .objects
        .dedup_by(|one, other| one.location == other.location);
    let objects = found.objects.iter().map(|object| {
        let shown = target.uri(object.location.as_ref());
        (shown, stored(target, object), false)
    });
    let failures = found
        .odd_keys
        .iter()
        .map(|key| (target.uri(key), ODD.to_owned()));
    Ok(StoreListing {
        objects: objects.collect(),
        failures: failures.collect(),
        pruned: found.pruned,
    })
}

fn stored(target: &UriTarget, object: &ObjectMeta) -> StoreObject {
    StoreObject {
        root: target.root.clone(),
        key: object.location.as_ref().to_owned(),
        size: Some(object.size),
        etag: object.e_tag.clone(),
        state: ObjectState::default(),
    }
}

fn nothing(key: &str, is_folder: bool) -> Failure {
    let message = if is_glob(key) {
        "no object matches this glob"
    } else if is_folder {
        "there is no object in this folder"
    } else {
        "there is no such object or folder"
    };
    Failure::new(FailureKind::NotFound, message)
}
