//! What the profiles promise, measured over generated logs.

use std::collections::HashSet;

use super::*;

/// Long enough to have every kind of request.
const SHORT: u64 = 3_000_000;
/// 60,000 events of the profiles with 1.4 kB an event.
const SIXTY_THOUSAND: u64 = 84_000_000;

fn log(profile: Profile, bytes: u64, seed: u64) -> (String, Summary) {
    let mut log = Vec::new();
    let summary = profile.generate(&mut log, bytes, seed).unwrap();
    (String::from_utf8(log).unwrap(), summary)
}

/// The text after the first occurrence of `key`, up to the next quotation mark.
fn member<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(key)?;
    Some(rest.split('"').next().unwrap_or_default())
}

fn users(log: &str) -> Vec<&str> {
    log.lines()
        .filter_map(|line| member(line, r#""user":{"username":""#))
        .collect()
}

fn share_with_bodies(log: &str, events: u64) -> f64 {
    let with = log
        .lines()
        .filter(|line| {
            line.contains(r#","requestObject":"#) || line.contains(r#","responseObject":"#)
        })
        .count();
    with as f64 / events as f64
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for profile in Profile::ALL {
        let (first, summary) = log(profile, SHORT, 7);
        assert_eq!(summary.bytes, first.len() as u64);
        assert!(first == log(profile, SHORT, 7).0, "{profile:?}");
        assert!(first != log(profile, SHORT, 8).0, "{profile:?}");
    }
}

#[test]
fn a_longer_log_begins_with_the_shorter_one() {
    for profile in Profile::ALL {
        let (short, _) = log(profile, SHORT, 7);
        assert!(
            log(profile, 2 * SHORT, 7).0.starts_with(&short),
            "{profile:?}"
        );
    }
}

#[test]
fn a_log_is_whole_lines() {
    for profile in Profile::ALL {
        let (text, summary) = log(profile, SHORT, 7);
        assert!(text.ends_with("}\n"));
        assert_eq!(summary.events, text.lines().count() as u64);
        assert!(
            text.lines()
                .all(|line| line.starts_with(r#"{"kind":"Event","#))
        );
        assert!(text.contains(&summary.first) && text.contains(&summary.last));
        assert!(!text.contains('<'), "a field was not written");
    }
}

#[test]
fn audit_ids_are_unique_but_for_the_stages_of_a_request() {
    for profile in Profile::ALL {
        let (text, _) = log(profile, 4 * SHORT, 7);
        let mut seen = HashSet::new();
        for line in text.lines() {
            let id = member(line, r#""auditID":""#).unwrap();
            let stage = member(line, r#""stage":""#).unwrap();
            assert!(seen.insert((id, stage)), "{profile:?}: {id} {stage}");
        }
    }
}

#[test]
fn large_has_3000_users_in_60000_events() {
    let (text, summary) = log(Profile::Large, SIXTY_THOUSAND, 7);
    let users = users(&text);
    assert!((58_000..62_000).contains(&summary.events), "{summary:?}");
    assert_eq!(users.iter().collect::<HashSet<_>>().len(), 3_000);
    // No user dominates.
    let first = users.iter().filter(|user| **user == users[0]).count();
    assert!(first < users.len() / 100, "{first} events of {}", users[0]);
}

#[test]
fn events_of_large_logs_have_1400_bytes_and_one_in_ten_has_bodies() {
    for (profile, sizes) in [
        (Profile::Large, 1_350.0..1_450.0),
        (Profile::Unique, 1_400.0..1_500.0),
    ] {
        for seed in [7, 8] {
            let (text, summary) = log(profile, SIXTY_THOUSAND / 4, seed);
            let size = summary.bytes as f64 / summary.events as f64;
            assert!(sizes.contains(&size), "{profile:?}: {size}");
            let share = share_with_bodies(&text, summary.events);
            assert!((0.09..0.11).contains(&share), "{profile:?}: {share}");
        }
    }
}

#[test]
fn unique_repeats_no_user_address_or_audit_id() {
    let (text, summary) = log(Profile::Unique, SIXTY_THOUSAND / 2, 7);
    let users = users(&text);
    assert_eq!(
        users.len() as u64,
        summary.events,
        "an event without a user"
    );
    assert_eq!(
        users.into_iter().collect::<HashSet<_>>().len() as u64,
        summary.events
    );
    for key in [r#""sourceIPs":[""#, r#""auditID":""#] {
        let values: HashSet<_> = text.lines().filter_map(|line| member(line, key)).collect();
        assert_eq!(values.len() as u64, summary.events, "{key}");
    }
    assert!(!text.contains(r#""impersonatedUser""#));
}
