//! The shape of the source: rooms import from lower ranks only, files do not import each other in a
//! circle, a type name means one thing in its crate, and no file is too long.
//!
//! What is read is text: the `use` declarations and the paths of each file, without its tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of the engine by rank, as `ARCHITECTURE.md` lists them.
const ENGINE: &[&[&str]] = &[
    &["error", "time", "schema"],
    &["json", "request", "temporary"],
    &["account", "policy", "rbac"],
    &["event"],
    &["format"],
    &["source"],
    &["record", "objects"],
    &["column"],
    &["scan", "function", "lookup"],
    &["session", "file"],
    &["lake"],
    &["catalog"],
    &["query"],
    &["access"],
    &["check"],
    &["stages"],
    &["engine"],
];

/// The rooms of the command line by rank.
const CLI: &[&[&str]] = &[
    &["text"],
    &["output"],
    &["args"],
    &["settings"],
    &["run"],
    &["listing"],
    &["commands", "shell"],
];

/// Files at the top of a crate that are in no room.
const NO_ROOM: [&str; 2] = ["lib.rs", "main.rs"];

/// The longest a file may be.
const MOST_LINES: usize = 500;

/// The source of one crate.
struct CrateSource {
    name: &'static str,
    ranks: &'static [&'static [&'static str]],
    /// By path below `src`; without tests and comments.
    files: BTreeMap<PathBuf, String>,
}

/// A path of modules below the crate.
type ModulePath = Vec<String>;

impl CrateSource {
    fn read(name: &'static str, ranks: &'static [&'static [&'static str]]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(name)
            .join("src");
        let mut files = BTreeMap::new();
        collect(&root, &root, &mut files);
        assert!(files.len() > 30, "{name} has more files than that");
        Self { name, ranks, files }
    }

    fn rank(&self, room: &str) -> Option<usize> {
        self.ranks.iter().position(|rooms| rooms.contains(&room))
    }

    /// The file of each module.
    fn modules(&self) -> BTreeMap<ModulePath, &Path> {
        let files = self.files.keys();
        files
            .map(|path| (module_of(path), path.as_path()))
            .collect()
    }

    /// Which files each file imports. A re-export stands for the file that it is from.
    fn imports(&self) -> BTreeMap<&Path, BTreeSet<&Path>> {
        let modules = self.modules();
        let mut exports: BTreeMap<ModulePath, BTreeMap<String, ModulePath>> = BTreeMap::new();
        for (path, text) in &self.files {
            let module = module_of(path);
            for (public, leaf) in uses(text) {
                if let (true, Some(leaf)) = (public, absolute(&module, &leaf, &modules)) {
                    let name = leaf.last().cloned().unwrap_or_default();
                    exports
                        .entry(module.clone())
                        .or_default()
                        .insert(name, leaf);
                }
            }
        }
        let mut imports = BTreeMap::new();
        for (path, text) in &self.files {
            if NO_ROOM.iter().any(|name| path == Path::new(name)) {
                continue;
            }
            let module = module_of(path);
            let mut found = BTreeSet::new();
            for (public, leaf) in uses(text) {
                let Some(leaf) = absolute(&module, &leaf, &modules) else {
                    continue;
                };
                let Some(file) = resolve(&leaf, &modules, &exports, 0) else {
                    continue;
                };
                let is_own = module_of(file).starts_with(&module);
                if file != path && !(public && is_own) {
                    found.insert(file);
                }
            }
            imports.insert(path.as_path(), found);
        }
        imports
    }
}

/// All files below a folder but tests.
fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && path.file_stem().is_some_and(|stem| stem != "tests")
        {
            let text = fs::read_to_string(&path).unwrap();
            let lines = text.lines().count();
            assert!(lines <= MOST_LINES, "{}: {lines} lines", path.display());
            assert!(text.starts_with("//!"), "{}: no module doc", path.display());
            let tests = text.find("#[cfg(test)]\nmod tests {");
            let tests = tests.or_else(|| text.find("#[cfg(test)]\npub(super) mod tests {"));
            let code = &text[..tests.unwrap_or(text.len())];
            let code: String = code
                .lines()
                .map(|line| line.split("//").next().unwrap_or_default())
                .flat_map(|line| [line, "\n"])
                .collect();
            files.insert(path.strip_prefix(root).unwrap().to_owned(), code);
        }
    }
}

fn module_of(path: &Path) -> ModulePath {
    let mut parts: ModulePath = path
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if matches!(
        parts.last().map(String::as_str),
        Some("mod" | "lib" | "main")
    ) {
        parts.pop();
    }
    parts
}

/// The leaves of all `use` declarations, and whether they are public; and paths from `crate::`.
fn uses(text: &str) -> Vec<(bool, String)> {
    let mut found = Vec::new();
    let mut rest = String::new();
    for statement in text.split_inclusive(';') {
        let Some((before, tree)) = statement
            .rfind("use ")
            .filter(|at| statement[..*at].ends_with(['\n', ' ']) || *at == 0)
            .map(|at| statement.split_at(at))
        else {
            rest.push_str(statement);
            continue;
        };
        let line = before.rsplit('\n').next().unwrap_or_default();
        if !line.trim().is_empty() && !line.trim_start().starts_with("pub") {
            rest.push_str(statement);
            continue;
        }
        rest.push_str(before);
        let tree = tree.trim_start_matches("use ").trim_end_matches(';');
        // Text in quotes can look like a declaration.
        let is_path = |ch: char| ch.is_alphanumeric() || "_:{}, *\n".contains(ch);
        if !tree.chars().all(is_path) {
            rest.push_str(tree);
            continue;
        }
        let public = line.trim_start().starts_with("pub");
        let tree: String = tree.split_whitespace().collect::<Vec<_>>().join(" ");
        found.extend(leaves(&tree).into_iter().map(|leaf| (public, leaf)));
    }
    for (at, _) in rest.match_indices("crate::") {
        let path = &rest[at..];
        let end = path.find(|ch: char| !(ch.is_alphanumeric() || matches!(ch, '_' | ':')));
        found.push((false, path[..end.unwrap_or(path.len())].to_owned()));
    }
    found
}

/// `a::{b, c::{d}}` → `a::b`, `a::c::d`.
fn leaves(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.trim().to_owned()];
    };
    let (prefix, inner) = (&tree[..open], &tree[open + 1..tree.rfind('}').unwrap()]);
    let mut found = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, ch) in inner.char_indices().chain([(inner.len(), ',')]) {
        match ch {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let item = inner[start..at].trim();
                if !item.is_empty() {
                    found.extend(leaves(&format!("{prefix}{item}")));
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// The path from the crate's root; `None` for other crates.
fn absolute(
    module: &ModulePath,
    leaf: &str,
    modules: &BTreeMap<ModulePath, &Path>,
) -> Option<ModulePath> {
    let mut parts = leaf.split("::").map(str::trim).peekable();
    let mut base = module.clone();
    match *parts.peek()? {
        "crate" => {
            parts.next();
            base.clear();
        }
        "self" | "super" => {
            while let Some(part) = parts.next_if(|part| matches!(*part, "self" | "super")) {
                if part == "super" {
                    base.pop();
                }
            }
        }
        name => {
            let child: ModulePath = base.iter().cloned().chain([name.to_owned()]).collect();
            modules.get(&child)?;
        }
    }
    base.extend(parts.filter(|part| *part != "self").map(str::to_owned));
    Some(base)
}

fn resolve<'f>(
    leaf: &ModulePath,
    modules: &BTreeMap<ModulePath, &'f Path>,
    exports: &BTreeMap<ModulePath, BTreeMap<String, ModulePath>>,
    depth: usize,
) -> Option<&'f Path> {
    (0..=leaf.len()).rev().find_map(|length| {
        let module = leaf[..length].to_vec();
        let file = modules.get(&module)?;
        let exported = leaf
            .get(length)
            .and_then(|name| exports.get(&module)?.get(name));
        match exported {
            Some(from) if depth < 8 && from != leaf => resolve(from, modules, exports, depth + 1),
            _ => Some(*file),
        }
    })
}

fn sources() -> [CrateSource; 2] {
    [
        CrateSource::read("engine", ENGINE),
        CrateSource::read("cli", CLI),
    ]
}

fn room_of(path: &Path) -> String {
    module_of(path).first().cloned().unwrap_or_default()
}

#[test]
fn rooms_import_only_from_lower_ranks() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (file, imports) in source.imports() {
            let room = room_of(file);
            let own = source.rank(&room);
            assert!(own.is_some(), "{}: {room} has no rank", source.name);
            for import in imports {
                let other = room_of(import);
                if other != room && source.rank(&other) >= own {
                    let (file, import) = (file.display(), import.display());
                    wrong.push(format!("{}/src/{file} imports {import}", source.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    for source in sources() {
        let imports = source.imports();
        // Files that import nothing that is left are taken away until none is left.
        let mut left: BTreeSet<&Path> = imports.keys().copied().collect();
        loop {
            let done: Vec<&Path> = left
                .iter()
                .copied()
                .filter(|file| imports[file].is_disjoint(&left))
                .collect();
            if done.is_empty() {
                break;
            }
            left.retain(|file| !done.contains(file));
        }
        // What only imports a circle is not in it.
        let in_circle = |file: &Path| {
            left.iter()
                .any(|other| *other != file && imports[other].contains(file))
        };
        let circle: Vec<_> = left.iter().filter(|file| in_circle(file)).collect();
        assert!(circle.is_empty(), "{}: {circle:?}", source.name);
    }
}

#[test]
fn a_type_name_means_one_thing() {
    for source in sources() {
        let mut seen: BTreeMap<String, &Path> = BTreeMap::new();
        for (path, text) in &source.files {
            for name in text.lines().filter_map(defined) {
                // One file may define a type once for each system.
                if let Some(other) = seen
                    .insert(name.clone(), path)
                    .filter(|other| *other != path)
                {
                    let (path, other) = (path.display(), other.display());
                    panic!("{}: {name} stands in {other} and in {path}", source.name);
                }
            }
        }
        assert!(seen.len() > 30);
    }
}

/// The type that a line defines, unless it is indented: what a trait asks for is not one of ours.
fn defined(line: &str) -> Option<String> {
    let line = ["pub(crate) ", "pub(super) ", "pub "]
        .iter()
        .find_map(|visibility| line.strip_prefix(visibility))
        .unwrap_or(line);
    let name = ["struct ", "enum ", "trait ", "type "]
        .iter()
        .find_map(|keyword| line.strip_prefix(keyword))?;
    let end = name.find(|ch: char| !ch.is_alphanumeric() && ch != '_');
    Some(name[..end.unwrap_or(name.len())].to_owned())
}

#[test]
fn the_architecture_lists_the_rooms() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md");
    let page = fs::read_to_string(page).unwrap();
    for (rank, rooms) in ENGINE.iter().enumerate() {
        for room in *rooms {
            let listed = page.lines().any(|line| {
                let mut cells = line.split('|').map(str::trim).skip(1);
                cells.next() == Some(&rank.to_string())
                    && cells
                        .next()
                        .is_some_and(|cell| cell.contains(&format!("`{room}`")))
            });
            assert!(listed, "{room} with rank {rank}");
        }
    }
}

#[test]
fn the_environment_and_the_clock_are_read_in_one_place() {
    let places = [("engine", "time"), ("cli", "settings")];
    let calls = ["env::var", "args_os(", "SystemTime::now", "is_terminal("];
    for source in sources() {
        for (path, text) in &source.files {
            if places.contains(&(source.name, room_of(path).as_str())) {
                continue;
            }
            for call in calls {
                let path = path.display();
                assert!(!text.contains(call), "{}/src/{path}: {call}", source.name);
            }
        }
    }
}
