//! XML of listings and error answers: a document in, single elements and their text out.
//!
//! Not responsible for: what the elements mean, and namespaces (`web/webdav.rs` resolves them).

use std::borrow::Cow;

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

/// An element that was found, with the text inside it.
pub(super) struct XmlElement<'x> {
    start: BytesStart<'x>,
    pub(super) text: String,
}

impl XmlElement<'_> {
    /// Does the start tag say `name="true"`?
    pub(super) fn has_flag(&self, name: &str) -> bool {
        let attribute = self.start.try_get_attribute(name);
        matches!(attribute, Ok(Some(attribute)) if &*attribute.value == b"true")
    }
}

/// A reader that takes a bare `&` as text, which some servers write.
pub(super) fn reader(xml: &str) -> Reader<&[u8]> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().allow_dangling_amp = true;
    reader
}

/// The first element called `name`, at any depth. `None` as well when the XML is malformed before
/// the element ends.
pub(super) fn first_element<'x>(xml: &'x str, name: &str) -> Option<XmlElement<'x>> {
    let mut reader = reader(xml);
    let start = loop {
        match reader.read_event().ok()? {
            Event::Start(start) if start.name().as_ref() == name.as_bytes() => break start,
            Event::Empty(start) if start.name().as_ref() == name.as_bytes() => {
                let text = String::new();
                return Some(XmlElement { start, text });
            }
            Event::Eof => return None,
            _ => {}
        }
    };
    let mut text = String::new();
    let mut depth = 0_usize;
    loop {
        let event = reader.read_event().ok()?;
        match &event {
            Event::Start(_) => depth += 1,
            Event::End(_) if depth == 0 => return Some(XmlElement { start, text }),
            Event::End(_) => depth -= 1,
            Event::Eof => return None,
            _ => text.push_str(&text_of(&event)),
        }
    }
}

/// The text of the first element called `name`.
pub(super) fn first_text(xml: &str, name: &str) -> Option<String> {
    first_element(xml, name).map(|element| element.text)
}

/// The text an event stands for. Unknown references stay as they are written.
pub(super) fn text_of<'e>(event: &'e Event<'_>) -> Cow<'e, str> {
    match event {
        Event::Text(text) => String::from_utf8_lossy(text),
        Event::CData(text) => String::from_utf8_lossy(text),
        Event::GeneralRef(reference) => {
            let name = String::from_utf8_lossy(reference);
            match quick_xml::escape::unescape(&format!("&{name};")) {
                Ok(text) => Cow::Owned(text.into_owned()),
                Err(_) => Cow::Owned(format!("&{name};")),
            }
        }
        _ => Cow::Borrowed(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_elements() {
        let xml = "\u{feff}<?xml version=\"1.0\"?><a><Key>x/&lt;1&#65;&#x42;&#x1;&odd; & <![CDATA[<y>]]></Key>\
                   <Key>second</Key><Empty/></a>";
        assert_eq!(
            first_text(xml, "Key").as_deref(),
            Some("x/<1AB\u{1}&odd; & <y>")
        );
        assert_eq!(first_text(xml, "Empty").as_deref(), Some(""));
        assert_eq!(first_text(xml, "None"), None);
        assert_eq!(first_text("<Key>cut", "Key"), None);
        assert_eq!(first_text("<Key>cut</Other>", "Key"), None);
        assert_eq!(first_text("no XML", "Key"), None);
    }

    #[test]
    fn flags() {
        let flag = |xml| first_element(xml, "Name").map(|name| name.has_flag("Encoded"));
        assert_eq!(flag("<Name Encoded=\"true\">a</Name>"), Some(true));
        assert_eq!(flag("<Name Encoded='false'>a</Name>"), Some(false));
        assert_eq!(flag("<Name>a</Name>"), Some(false));
    }
}
