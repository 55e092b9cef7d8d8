//! Writes one JSON object of an event: the members that columns show and the leftovers of the object
//! in, both as one object out.

use crate::json::{Text, Value, ValueKind, members, write_string, write_text};

/// The leftovers of one object: member name, decoded and as written, to its raw value.
pub(super) type Mirror<'a> = Vec<(String, Text<'a>, Value<'a>)>;

pub(super) fn mirror_of(raw: &str) -> Mirror<'_> {
    members(raw)
        .map(|(name, value)| (name.decode().into_owned(), name, value))
        .collect()
}

/// Appends JSON on one line: newlines between tokens mean nothing, and strings contain none.
pub(super) fn write_raw(out: &mut Vec<u8>, raw: &str) {
    for part in raw.split('\n') {
        out.extend_from_slice(part.as_bytes());
    }
}

fn find<'m, 'a>(mirror: &'m Mirror<'a>, name: &str) -> Option<&'m Value<'a>> {
    mirror
        .iter()
        .find(|(key, ..)| key == name)
        .map(|(_, _, value)| value)
}

/// An object being written: what the columns say, then what is left of the mirror.
pub(super) struct JsonObject<'o, 'm, 'a> {
    pub(super) out: &'o mut Vec<u8>,
    pub(super) mirror: &'m Mirror<'a>,
    written: Vec<&'static str>,
    absent: &'m [String],
    path: &'static str,
}

impl<'m, 'a> JsonObject<'_, 'm, 'a> {
    pub(super) fn name(&mut self, name: &str) {
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
        write_string(self.out, name);
        self.out.push(b':');
    }

    /// A member: its override if there is one, else what `write` appends if the columns show it.
    pub(super) fn member(
        &mut self,
        name: &'static str,
        shown: bool,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        self.written.push(name);
        if let Some(raw) = find(self.mirror, name) {
            self.name(name);
            write_raw(self.out, raw.raw);
        } else if shown
            && !self
                .absent
                .iter()
                .any(|path| path.strip_prefix(self.path) == Some(name))
        {
            self.name(name);
            write(self.out);
        }
    }

    /// A member that is an object of its own: the columns' members merged with the mirror's.
    pub(super) fn object(
        &mut self,
        name: &'static str,
        path: &'static str,
        shown: bool,
        write: impl FnOnce(&mut JsonObject<'_, '_, '_>),
    ) {
        let over = find(self.mirror, name);
        self.written.push(name);
        match over {
            Some(value) if value.kind != ValueKind::Object => {
                self.name(name);
                write_raw(self.out, value.raw);
            }
            None if !shown => {}
            _ => {
                self.name(name);
                let mirror = over.map_or_else(Vec::new, |value| mirror_of(value.raw));
                write_object(self.out, &mirror, self.absent, path, write);
            }
        }
    }
}

pub(super) fn write_object(
    out: &mut Vec<u8>,
    mirror: &Mirror<'_>,
    absent: &[String],
    path: &'static str,
    write: impl FnOnce(&mut JsonObject<'_, '_, '_>),
) {
    out.push(b'{');
    let mut object = JsonObject {
        out,
        mirror,
        written: Vec::new(),
        absent,
        path,
    };
    write(&mut object);
    let written = std::mem::take(&mut object.written);
    for (name, text, value) in mirror {
        let escaped = path.is_empty().then(|| name.strip_prefix('~')).flatten();
        if written.contains(&escaped.unwrap_or(name)) {
            continue;
        }
        match escaped {
            Some(name) => object.name(name),
            None => {
                if object.out.last() != Some(&b'{') {
                    object.out.push(b',');
                }
                write_text(object.out, *text);
                object.out.push(b':');
            }
        }
        write_raw(object.out, value.raw);
    }
    out.push(b'}');
}

/// Takes a member out of the mirror.
pub(super) fn take<'a>(mirror: &mut Mirror<'a>, name: &str) -> Option<Value<'a>> {
    let index = mirror.iter().position(|(key, ..)| key == name)?;
    Some(mirror.remove(index).2)
}
