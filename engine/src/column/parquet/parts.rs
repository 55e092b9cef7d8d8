//! The parts of events that several columns are a function of: rows in, the distinct texts of each
//! part and which of them each row has out.

use super::dictionary::Dictionary;
use crate::column::Row;
use crate::schema::EventPart;

/// The parts whose distinct texts are kept.
pub(super) const PARTS: [EventPart; 4] = [
    EventPart::User,
    EventPart::SourceIps,
    EventPart::Annotations,
    EventPart::Input,
];

/// The distinct texts of a part, and which of them each row has.
pub(super) struct PartMemo {
    pub(super) texts: Dictionary,
    pub(super) rows: Vec<u32>,
    pub(super) last: Option<u32>,
}

impl PartMemo {
    /// Notes the text of the row's part; is it new?
    pub(super) fn row(&mut self, part: EventPart, row: &Row<'_, '_>, text: &mut Vec<u8>) -> bool {
        text.clear();
        row.append_part(part, text);
        if let Some(last) = self.last
            && self.texts.value(last) == text.as_slice()
        {
            self.rows.push(last);
            return false;
        }
        let known = self.texts.len();
        let index = self.texts.intern(text);
        self.rows.push(index);
        self.last = Some(index);
        self.texts.len() > known
    }
}
