//! The verdict and the slices: one JSON object in, an [`Event`] or the reason why not out.
//!
//! The common case is one pass without allocation ([`members`](super::members)). Not responsible
//! for: the members inside the event's objects ([`objects`](super::objects)).

use crate::event::members::{ObjectMembers, Taken};
use crate::event::{Event, NoEvent, ParentObject, UserMemo, member_hash};
use crate::json::{Cursor, Fault, Text, Value, ValueKind};
use crate::time::parse_micros;

/// The members of the event itself that have a meaning to us, one bit each.
mod bit {
    pub(super) const KIND: u32 = 1;
    pub(super) const API_VERSION: u32 = 1 << 1;
    pub(super) const LEVEL: u32 = 1 << 2;
    pub(super) const AUDIT_ID: u32 = 1 << 3;
    pub(super) const STAGE: u32 = 1 << 4;
    pub(super) const REQUEST_URI: u32 = 1 << 5;
    pub(super) const VERB: u32 = 1 << 6;
    pub(super) const USER: u32 = 1 << 7;
    pub(super) const IMPERSONATED: u32 = 1 << 8;
    pub(super) const AUTHENTICATION: u32 = 1 << 9;
    pub(super) const SOURCE_IPS: u32 = 1 << 10;
    pub(super) const USER_AGENT: u32 = 1 << 11;
    pub(super) const OBJECT: u32 = 1 << 12;
    pub(super) const RESPONSE: u32 = 1 << 13;
    pub(super) const REQUEST_OBJECT: u32 = 1 << 14;
    pub(super) const RESPONSE_OBJECT: u32 = 1 << 15;
    pub(super) const RECEIVED: u32 = 1 << 16;
    pub(super) const STAGED: u32 = 1 << 17;
    pub(super) const ANNOTATIONS: u32 = 1 << 18;
    pub(super) const TIMESTAMP: u32 = 1 << 19;

    /// The bit of a member, by its length first: comparing with twenty names in turn is a tenth of
    /// the decoding time.
    #[inline(always)]
    pub(super) fn of(name: &str) -> Option<u32> {
        let one = |known: &str, bit: u32| (name == known).then_some(bit);
        match name.len() {
            4 => one("kind", KIND)
                .or_else(|| one("verb", VERB))
                .or_else(|| one("user", USER)),
            5 => one("level", LEVEL).or_else(|| one("stage", STAGE)),
            7 => one("auditID", AUDIT_ID),
            9 => one("sourceIPs", SOURCE_IPS)
                .or_else(|| one("userAgent", USER_AGENT))
                .or_else(|| one("objectRef", OBJECT))
                .or_else(|| one("timestamp", TIMESTAMP)),
            10 => one("apiVersion", API_VERSION).or_else(|| one("requestURI", REQUEST_URI)),
            11 => one("annotations", ANNOTATIONS),
            13 => one("requestObject", REQUEST_OBJECT),
            14 => one("responseStatus", RESPONSE)
                .or_else(|| one("responseObject", RESPONSE_OBJECT))
                .or_else(|| one("stageTimestamp", STAGED)),
            16 => one("impersonatedUser", IMPERSONATED),
            22 => one("authenticationMetadata", AUTHENTICATION),
            24 => one("requestReceivedTimestamp", RECEIVED),
            _ => None,
        }
    }
}

impl<'a> Event<'a> {
    /// Reads the event that `text` begins with, and the position after it.
    ///
    /// `inherited` is the `apiVersion` of the list around the event: the items of an `EventList` have
    /// none of their own.
    ///
    /// # Errors
    ///
    /// [`NoEvent`] when `text` does not begin with one complete JSON object whose own members are
    /// well-formed, or when that object is not an audit event.
    pub(crate) fn decode(
        text: &'a str,
        inherited: Option<Text<'a>>,
    ) -> Result<(Self, usize), NoEvent> {
        Self::read(text, inherited, None)
    }

    /// The same, for many events: what `memo` remembers is not read again.
    pub(crate) fn decode_with(
        text: &'a str,
        inherited: Option<Text<'a>>,
        memo: &mut UserMemo,
    ) -> Result<(Self, usize), NoEvent> {
        Self::read(text, inherited, Some(memo))
    }

    #[inline(always)]
    fn read(
        text: &'a str,
        inherited: Option<Text<'a>>,
        memo: Option<&mut UserMemo>,
    ) -> Result<(Self, usize), NoEvent> {
        let mut cursor = Cursor::new(text);
        let mut reader = MemberReader {
            memo,
            ..MemberReader::default()
        };
        reader.read(&mut cursor)?;
        let end = cursor.at();
        if !reader.is_event() {
            return Err(NoEvent::Other { end });
        }
        Ok((reader.finish(inherited), end))
    }
}

/// The event while its members are read.
#[derive(Default)]
struct MemberReader<'m, 'a> {
    memo: Option<&'m mut UserMemo>,
    event: Event<'a>,
    seen: u32,
    kind: Option<(Text<'a>, Value<'a>)>,
    /// `timestamp` of v1alpha1 and early v1beta1: the time of the stage.
    timestamp: Option<(Text<'a>, Value<'a>)>,
    /// Of the members so far.
    content: u64,
}

impl<'a> ObjectMembers<'a> for MemberReader<'_, 'a> {
    const HAS_BODIES: bool = true;

    #[inline(always)]
    fn member(&mut self, name: Text<'a>, cursor: &mut Cursor<'a>) -> Result<Taken, Fault> {
        let before = cursor.rest();
        let taken = match name.plain() {
            Some(plain) => self.named_member(plain, name, cursor),
            None => self.escaped_member(name, cursor),
        };
        if self.memo.as_ref().is_some_and(|memo| memo.content) {
            let value = &before[..before.len() - cursor.rest().len()];
            self.content = self
                .content
                .wrapping_add(member_hash(name.raw(), value.trim_ascii()));
        }
        taken
    }

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn duplicate(&mut self, name: Text<'a>, value: Value<'a>) {
        self.event
            .leftovers
            .duplicate(ParentObject::Event, name, value);
    }
}

impl<'a> MemberReader<'_, 'a> {
    /// A member whose name is written with escapes is the same member.
    #[cold]
    #[inline(never)]
    fn escaped_member(&mut self, name: Text<'a>, cursor: &mut Cursor<'a>) -> Result<Taken, Fault> {
        self.named_member(&name.decode(), name, cursor)
    }

    #[inline(always)]
    fn named_member(
        &mut self,
        plain: &str,
        name: Text<'a>,
        cursor: &mut Cursor<'a>,
    ) -> Result<Taken, Fault> {
        let Some(bit) = bit::of(plain) else {
            return self.unknown_member(plain, name, cursor);
        };
        if self.seen & bit != 0 {
            return Ok(Taken::Again);
        }
        self.seen |= bit;
        let event = &mut self.event;
        match bit {
            bit::KIND => self.kind = Some((name, cursor.value()?)),
            bit::TIMESTAMP => self.timestamp = Some((name, cursor.value()?)),
            bit::API_VERSION => {
                event.api_version = event.text(ParentObject::Event, name, cursor)?
            }
            bit::LEVEL => event.level = event.text(ParentObject::Event, name, cursor)?,
            bit::AUDIT_ID => event.audit_id = event.text(ParentObject::Event, name, cursor)?,
            bit::STAGE => event.stage = event.text(ParentObject::Event, name, cursor)?,
            bit::REQUEST_URI => {
                event.request_uri = event.text(ParentObject::Event, name, cursor)?
            }
            bit::VERB => event.verb = event.text(ParentObject::Event, name, cursor)?,
            bit::USER_AGENT => event.user_agent = event.text(ParentObject::Event, name, cursor)?,
            bit::SOURCE_IPS => event.source_ips = event.texts(ParentObject::Event, name, cursor)?,
            bit::RECEIVED => event.received = event.time(name, cursor)?,
            bit::STAGED => event.staged = event.time(name, cursor)?,
            bit::REQUEST_OBJECT => event.request_object = event.body(name, cursor)?,
            bit::RESPONSE_OBJECT => event.response_object = event.body(name, cursor)?,
            bit::ANNOTATIONS => event.annotations = event.annotations(name, cursor)?,
            bit::USER => self.user(name, cursor)?,
            bit::IMPERSONATED => event.user(name, cursor, ParentObject::Impersonated)?,
            bit::AUTHENTICATION => event.authentication(name, cursor)?,
            bit::OBJECT => event.object(name, cursor)?,
            _ => event.response(name, cursor)?,
        }
        Ok(Taken::Yes)
    }

    /// A member that no column takes as it is.
    #[cold]
    #[inline(never)]
    fn unknown_member(
        &mut self,
        plain: &str,
        name: Text<'a>,
        cursor: &mut Cursor<'a>,
    ) -> Result<Taken, Fault> {
        let value = cursor.value()?;
        if plain == "authorizationDecision" {
            self.event.authorization = (value.kind == ValueKind::Object).then_some(value);
        }
        self.event
            .leftovers
            .member(ParentObject::Event, name, value);
        Ok(Taken::Yes)
    }

    #[inline(always)]
    fn user(&mut self, name: Text<'a>, cursor: &mut Cursor<'a>) -> Result<(), Fault> {
        let Some(memo) = &mut self.memo else {
            return self.event.user(name, cursor, ParentObject::User);
        };
        cursor.peek()?;
        let text = cursor.rest();
        if let Some(user) = memo.find(text) {
            cursor.advance(user.raw.map_or(0, str::len));
            self.event.user = user;
            return Ok(());
        }
        let left_over = self.event.leftovers.len();
        self.event.user(name, cursor, ParentObject::User)?;
        if self.event.leftovers.len() == left_over {
            memo.keep(text, &self.event.user);
        }
        Ok(())
    }

    /// An `audit.k8s.io` Event by its type, or, where a shipper dropped the type, by what only
    /// audit events have.
    fn is_event(&self) -> bool {
        const SIGNS: u32 = bit::STAGE | bit::VERB | bit::REQUEST_URI;
        let typed = self
            .kind
            .is_some_and(|(_, kind)| kind.text().is_some_and(|kind| kind.eq_str("Event")))
            && self
                .event
                .api_version
                .is_some_and(|version| version.decode().starts_with("audit.k8s.io/"));
        typed || (self.seen & bit::AUDIT_ID != 0 && (self.seen & SIGNS).count_ones() >= 2)
    }

    fn finish(self, inherited: Option<Text<'a>>) -> Event<'a> {
        let Self {
            memo,
            mut event,
            seen,
            kind,
            timestamp,
            content,
        } = self;
        // The slow path, for duplicate names, forgets the memo: whoever needs the hash of such an
        // event computes it.
        event.content = memo.is_some_and(|memo| memo.content).then_some(content);
        let inherits = inherited.is_some() && seen & bit::API_VERSION == 0;
        if inherits {
            event.api_version = inherited;
        }
        // `kind: Event` is implied beside an apiVersion: only what differs from that is left over.
        match kind {
            Some((_, kind))
                if event.api_version.is_some()
                    && kind.text().is_some_and(|kind| kind.raw() == "Event") => {}
            Some((name, kind)) => event.leftovers.member(ParentObject::Event, name, kind),
            None if event.api_version.is_some() && !inherits => event.leftovers.absent("kind"),
            None => {}
        }
        if seen & (bit::STAGED | bit::TIMESTAMP) == 0 && event.received.is_some() {
            // A shipper took it out for its own time, which says less than that of the request.
            event.staged = event.received;
            event.one_time = true;
            event.leftovers.absent("stageTimestamp");
        }
        if let Some((name, value)) = timestamp {
            if seen & bit::STAGED == 0 {
                event.staged = value.text().and_then(|text| parse_micros(&text.decode()));
                if event.staged.is_some() {
                    event.leftovers.absent("stageTimestamp");
                }
            }
            event.leftovers.member(ParentObject::Event, name, value);
        }
        event
    }
}
