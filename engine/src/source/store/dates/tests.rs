use super::*;
use crate::time::parse_micros;

fn window(since: &str, until: &str) -> DayRange {
    let at = |day: &str| parse_micros(&format!("{day}T00:00:00Z"));
    DayRange::of(at(since), at(until)).unwrap()
}

fn outside<'n>(days: DayRange, parent: &str, names: &[&'n str]) -> Vec<&'n str> {
    let verdicts = days.judge(PathDate::of(parent), names);
    names
        .iter()
        .zip(verdicts)
        .filter(|(_, verdict)| *verdict == FolderVerdict::Outside)
        .map(|(name, _)| *name)
        .collect()
}

#[test]
fn folders_of_other_days_are_skipped() {
    // The 21st, widened: the 20th to the 22nd.
    let days = window("2026-11-21", "2026-11-22");
    assert_eq!(
        outside(days, "logs/2026/11", &["19", "20", "21", "22", "23"]),
        ["19", "23"]
    );
    assert_eq!(
        outside(days, "logs/2026/", &["10", "11", "12", "processing-failed"]),
        ["10", "12"]
    );
    assert_eq!(
        outside(days, "r/y=2026/m=11", &["d=19", "d=20", "d=22", "d=23"]),
        ["d=19", "d=23"]
    );
    assert_eq!(
        outside(days, "r/y=2026", &["m=10", "m=11", "m=12"]),
        ["m=10", "m=12"]
    );
    assert_eq!(
        outside(days, "r", &["y=2025", "y=2026", "y=2027", "other"]),
        ["y=2025", "y=2027"]
    );
    assert_eq!(
        outside(
            days,
            "",
            &["date=2026-11-19", "date=2026-11-20", "dt=2026-11-23"]
        ),
        ["date=2026-11-19", "dt=2026-11-23"]
    );
    assert_eq!(
        outside(days, "k", &["2026-11-19", "2026-11-22", "2026-11-31"]),
        ["2026-11-19"]
    );
    assert_eq!(
        outside(days, "year=2026", &["month=9", "month=11"]),
        ["month=9"]
    );
}

#[test]
fn folders_that_may_not_be_dates_are_listed() {
    let days = window("2026-11-21", "2026-11-22");
    // Bare years, and numbers beside which others are no date.
    assert!(outside(days, "logs", &["2019", "2026"]).is_empty());
    assert!(outside(days, "logs/2019", &["01", "13"]).is_empty());
    assert!(outside(days, "logs/2019/01", &["07", "77"]).is_empty());
    assert!(outside(days, "logs/1234/01", &["07"]).is_empty());
    assert!(
        outside(
            days,
            "",
            &["expires=2019-01-01", "2019-13-01", "07", "h=07"]
        )
        .is_empty()
    );
    assert_eq!(
        days.judge(PathDate::of("logs/2019/01"), &["07", "77"]),
        [FolderVerdict::Open(PathDate::Not); 2]
    );
}

#[test]
fn open_windows() {
    let at = parse_micros("2026-11-21T10:00:00Z");
    assert_eq!(DayRange::of(None, None), None);
    let since = DayRange::of(at, None).unwrap();
    assert_eq!(outside(since, "2026/11", &["19", "20", "30"]), ["19"]);
    let until = DayRange::of(None, at).unwrap();
    assert_eq!(outside(until, "2026/11", &["01", "22", "23"]), ["23"]);
    // `until` is not in the window: at midnight it is the day before.
    let until = DayRange::of(None, parse_micros("2026-11-21T00:00:00Z")).unwrap();
    assert_eq!(outside(until, "2026/11", &["21", "22"]), ["22"]);
}

#[test]
fn paths_of_objects() {
    let days = window("2026-11-21", "2026-11-22");
    assert!(days.excludes(PathDate::Not, "a/2026/11/19/00:00:00_S0.json"));
    assert!(days.excludes(PathDate::Not, "a/y=2025/x"));
    assert!(!days.excludes(PathDate::Not, "a/2026/11/22/00:00:00_S0.json"));
    assert!(!days.excludes(PathDate::Not, "a/2026/09/x"));
    assert!(!days.excludes(PathDate::Not, "2026-01-01"));
    assert!(days.excludes(PathDate::of("a/2026/11"), "19/x"));
    assert!(
        !days.excludes(PathDate::of("a/2026/11/19"), "07/x"),
        "what the user named is read"
    );
}
