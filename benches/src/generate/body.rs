//! Request and response bodies, and annotations: texts from a real cluster's log. `<fields>` stand
//! for what differs between objects, `<@fragments>` for what bodies share.

use std::collections::HashMap;
use std::io;

use super::malformed;

/// One line a body: its name, a blank, its JSON. A fragment's name starts with `@`.
const BODIES: &str = include_str!("bodies.txt");
const ANNOTATIONS: &str = include_str!("annotations.txt");

/// The texts by name.
pub(super) struct Bodies {
    bodies: HashMap<&'static str, String>,
    annotations: HashMap<&'static str, &'static str>,
}

impl Bodies {
    pub(super) fn load() -> io::Result<Self> {
        let texts: HashMap<_, _> = named_lines(BODIES)?.into_iter().collect();
        let mut bodies = HashMap::new();
        for (name, text) in &texts {
            let mut whole = String::new();
            expand(text, &texts, &mut whole)?;
            bodies.insert(*name, whole);
        }
        Ok(Self {
            bodies,
            annotations: named_lines(ANNOTATIONS)?.into_iter().collect(),
        })
    }

    pub(super) fn get(&self, name: &str) -> io::Result<&str> {
        self.find(name)
            .ok_or_else(|| malformed("no such body", name))
    }

    /// The body, if there is one of this name.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.bodies.get(name).map(String::as_str)
    }

    /// The members before and after the authorizer's annotations.
    pub(super) fn annotations(&self, name: &str) -> io::Result<(&'static str, &'static str)> {
        self.annotations
            .get(name)
            .and_then(|members| members.split_once('*'))
            .ok_or_else(|| malformed("no such annotations", name))
    }
}

fn named_lines(text: &'static str) -> io::Result<Vec<(&'static str, &'static str)>> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            line.split_once(' ')
                .ok_or_else(|| malformed("no name", line))
        })
        .collect()
}

fn expand(text: &str, texts: &HashMap<&str, &str>, whole: &mut String) -> io::Result<()> {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<@") {
        let (name, after) = after
            .split_once('>')
            .ok_or_else(|| malformed("open fragment", after))?;
        let fragment = texts
            .get(format!("@{name}").as_str())
            .ok_or_else(|| malformed("no such fragment", name))?;
        whole.push_str(before);
        expand(fragment, texts, whole)?;
        rest = after;
    }
    whole.push_str(rest);
    Ok(())
}
