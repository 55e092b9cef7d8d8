//! Files of one log that was rotated: names in; which of them are not the newest, out.
//!
//! The kubelet calls the file that is written `0.log` and the older ones `0.log.20261120-100000`,
//! Docker and logrotate `x.log` and `x.log.1`, `x.log.2.gz`; journald and others append a date.
//! Compressed ones have one more ending.
//!
//! Not responsible for: what the files hold.

use std::collections::HashMap;

/// Endings of compressed files.
const PACKED: [&str; 5] = [".gz", ".zst", ".bz2", ".xz", ".Z"];

/// Where a file stands among those of its log: a greater one is newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Age<'n> {
    /// A number: the greater, the older.
    Number(std::cmp::Reverse<u64>),
    /// A date, as digits.
    Date(&'n str),
    /// It is being written.
    Current,
}

/// For each of these paths or URLs: is a newer file of the same log among them?
pub(crate) fn rotated<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<bool> {
    let parts: Vec<(&str, Age<'_>)> = names.into_iter().map(apart).collect();
    let mut newest: HashMap<&str, Age<'_>> = HashMap::new();
    for (log, age) in &parts {
        let known = newest.entry(log).or_insert(*age);
        *known = (*known).max(*age);
    }
    let is_older =
        |(log, age): &(&str, Age<'_>)| newest.get(log).is_some_and(|newest| age < newest);
    parts.iter().map(is_older).collect()
}

/// The name of the log, and where the file stands in it.
fn apart(name: &str) -> (&str, Age<'_>) {
    let plain = PACKED
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name);
    let is_of_time =
        |letter: char| letter.is_ascii_digit() || matches!(letter, '-' | 'T' | 'Z' | ':' | '_');
    let log = plain.trim_end_matches(is_of_time);
    let ending = &plain[log.len()..];
    let Some(log) = log.strip_suffix('.').or_else(|| {
        // `x.log-20261120`: the dash is part of the ending.
        ending.starts_with(['-', '_']).then_some(log)
    }) else {
        return (plain, Age::Current);
    };
    let digits = ending.bytes().filter(u8::is_ascii_digit).count();
    // `10.0.0.1` and `0.log` are names.
    let is_log = log
        .rsplit(['/', '\\'])
        .next()
        .is_some_and(|file| file.contains('.') && file.contains(char::is_alphabetic));
    match ending.parse() {
        Ok(number) if digits < 6 && is_log => (log, Age::Number(std::cmp::Reverse(number))),
        _ if digits >= 6 && is_log => (log, Age::Date(ending.trim_start_matches(['-', '_']))),
        _ => (plain, Age::Current),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_file_of_a_log_is_the_one_that_is_written() {
        let names = [
            "d/0.log",
            "d/0.log.20261120-100000",
            "d/0.log.20261121-100000.gz",
            "e/x.log.2.gz",
            "e/x.log.1",
            "f/a.log-20261120",
            "f/a.log-20261121",
            "g/10.0.0.1",
            "g/10.0.0.2",
            "h/1.log",
            "h/2.log",
        ];
        let expected = [
            false, true, true, true, false, true, false, false, false, false, false,
        ];
        assert_eq!(rotated(names), expected);
        assert_eq!(rotated(["x.log.1"]), [false]);
    }
}
