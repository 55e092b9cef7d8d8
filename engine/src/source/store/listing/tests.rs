use futures::executor::block_on;
use object_store::{ObjectStoreExt, PutPayload, path::Path};

use super::*;
use crate::{
    source::store::{cloud::TagUse, recording::RecordingStore},
    time::parse_micros,
};

struct Asked {
    listed: Result<StoreListing, Failure>,
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
    let memory = RecordingStore::default();
    for key in keys {
        block_on(memory.store.put(
            &Path::parse(key.as_ref()).unwrap(),
            PutPayload::from(vec![b'x']),
        ))
        .unwrap();
    }
    let cloud = CloudStore::new(memory.clone(), TagUse::Growing);
    let since = day.and_then(|day| parse_micros(&format!("{day}T10:00:00Z")));
    let days = DayRange::of(since, since.map(|since| since + 1));
    let listed = block_on(list(&cloud, &UriTarget::parse(url).unwrap(), days));
    let prefixes = memory.asked.lock().clone();
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
        "the folder, not every key with this prefix"
    );
    assert_eq!(found("a/b/"), "a/b/y.json a/b/z.log");
    assert_eq!(
        found("a*"),
        "a/b/y.json a/b/z.log a/x.json ab/x.json",
        "a folder stands for everything in it"
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
