//! The rules of this crate's source: rooms import only from rooms above them in the list, type
//! names are unique, and the environment and the clock are read in one place.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The rooms, lowest first; those of the same rank do not import each other.
const RANKS: [(&str, u8); 8] = [
    ("text", 0),
    ("output", 1),
    ("args", 2),
    ("settings", 3),
    ("run", 4),
    ("listing", 5),
    ("commands", 6),
    ("shell", 6),
];

/// The files of the source with their text, tests included.
fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    assert!(files.len() > 30);
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path.strip_prefix(&root).unwrap().to_owned(), text)
    };
    files.into_iter().map(read).collect()
}

fn rank(room: &str) -> Option<u8> {
    RANKS
        .iter()
        .find(|(name, _)| *name == room)
        .map(|(_, rank)| *rank)
}

/// The rooms that a text imports: `crate::NAME`, and `crate::{NAME, …}` over several lines.
fn imported(text: &str) -> Vec<String> {
    let word = |text: &str| {
        let end = text.find(|ch: char| !ch.is_alphanumeric() && ch != '_');
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let mut rooms = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let Some(list) = rest.strip_prefix('{') else {
            rooms.push(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut begins = true;
        for (at, ch) in list.char_indices() {
            match ch {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                ch if begins && ch.is_alphabetic() => {
                    rooms.push(word(&list[at..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    rooms
}

#[test]
fn rooms_import_only_from_lower_ranks() {
    for (path, text) in sources() {
        let room = path.iter().next().unwrap().to_str().unwrap();
        let Some(own) = rank(room) else {
            assert!(matches!(room, "lib.rs" | "main.rs" | "rooms.rs"), "{room}");
            continue;
        };
        for other in imported(&text) {
            let lower = rank(&other).is_some_and(|rank| rank < own);
            assert!(other == room || lower, "{}: {other}", path.display());
        }
    }
}

#[test]
fn a_type_name_means_one_thing() {
    let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (path, text) in sources() {
        for line in text.lines() {
            let line = line.trim_start();
            let line = line.trim_start_matches("pub(crate) ");
            let line = line.trim_start_matches("pub(super) ");
            let name = ["struct ", "enum ", "trait ", "type "]
                .iter()
                .find_map(|keyword| line.strip_prefix(keyword));
            // A type that a trait asks for is not one of ours.
            let Some(name) =
                name.filter(|name| !name.starts_with("Candidate") && !name.starts_with("Hint"))
            else {
                continue;
            };
            let end = name.find(|ch: char| !ch.is_alphanumeric());
            let name = name[..end.unwrap_or(name.len())].to_owned();
            if let Some(other) = seen.insert(name.clone(), path.clone()) {
                panic!("{name}: {} and {}", other.display(), path.display());
            }
        }
    }
    assert!(seen.len() > 30);
}

#[test]
fn the_environment_and_the_clock_are_read_by_the_settings() {
    for (path, text) in sources() {
        if path.starts_with("settings") || path == Path::new("rooms.rs") {
            continue;
        }
        for call in [
            "env::var",
            "args_os(",
            "SystemTime",
            "Instant",
            "is_terminal(",
            "terminal_size(",
        ] {
            assert!(!text.contains(call), "{}: {call}", path.display());
        }
    }
}
