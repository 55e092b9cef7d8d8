//! A window over a store: the objects and the folders of its days are fetched, the others are not.

use serde_json::json;

use super::{Faulty, event, same, stores, upload, write};

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn of_a_window_only_its_days_are_fetched() {
    let running = stores();
    let aks = "insights/resourceId=/SUBSCRIPTIONS/S/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/C";
    let folder = tempfile::tempdir().unwrap();
    let mut number = 0;
    for (month, days) in [(9, 1..=30), (10, 1..=31)] {
        for day in days {
            let time = format!("2026-{month:02}-{day:02}T07:30:00.000000Z");
            for name in [
                format!(
                    "gcs/cloudaudit.googleapis.com/activity/2026/{month:02}/{day:02}/07:00:00_07:59:59_S0.json"
                ),
                format!("aks/{aks}/y=2026/m={month:02}/d={day:02}/h=07/m=00/PT1H.json"),
                format!(
                    "firehose/2026/{month:02}/{day:02}/07/stream-1-2026-{month:02}-{day:02}-07-00-00-abc"
                ),
                format!("hive/date=2026-{month:02}-{day:02}/part-0.json"),
            ] {
                number += 1;
                write(folder.path(), &name, event(&format!("id-{number}"), &time));
            }
        }
    }
    upload("days-of-a-window", folder.path(), "");
    let window = ["--since", "2026-10-10", "--until", "2026-10-12"];
    for store in running {
        for layout in ["gcs/", "aks/", "firehose/", "hive/"] {
            let watched = Faulty::before(&store, json!({"only": "objects"}));
            same(
                watched.store(),
                &store.url("days-of-a-window", layout),
                &folder.path().join(layout),
                &window,
            );
            // Two days, and one on each side; an object may be asked for more than once, the others
            // never.
            let asked = watched.seen("requests");
            assert!(
                (4..=16).contains(&asked),
                "{} {layout}: {asked} requests for objects",
                store.name
            );
            let watched = Faulty::before(&store, json!({"only": "lists"}));
            same(
                watched.store(),
                &store.url("days-of-a-window", layout),
                &folder.path().join(layout),
                &window,
            );
            let asked = watched.seen("requests");
            assert!(
                asked <= 20,
                "{} {layout}: {asked} requests for listings",
                store.name
            );
        }
        // Without a window it is all there.
        same(
            &store,
            &store.url("days-of-a-window", "aks/"),
            &folder.path().join("aks"),
            &[],
        );
    }
}
