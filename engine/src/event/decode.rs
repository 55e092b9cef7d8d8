//! The verdict and the slices: one JSON object in, an [`Event`] or the reason why not out.
//!
//! The common case is one pass without allocation. An object with a duplicate among the members we
//! know is read again by the slow path: all members first, then the last of each name.

use std::{borrow::Cow, collections::HashMap};

use crate::event::{
    Event, NoEvent, ObjectRef, ParentObject, ResponseStatus, User, UserMemo, member_hash,
};
use crate::json::{Cursor, Fault, Text, Value, ValueKind};
use crate::time::{CANONICAL_LENGTH, parse_micros};

/// What happened to one member.
enum Taken {
    Yes,
    /// A member of this name was there before: read the object again, slowly.
    Again,
}

/// An object of the event that is read member by member.
trait ObjectMembers<'a> {
    /// Are `requestObject` and `responseObject` bodies here?
    const HAS_BODIES: bool = false;

    /// Reads the value of the member `name`; the cursor stands before it.
    fn member(&mut self, name: Text<'a>, cursor: &mut Cursor<'a>) -> Result<Taken, Fault>;
    /// Forgets everything, before the slow path.
    fn reset(&mut self);
    /// The earlier of two members called `name`.
    fn duplicate(&mut self, name: Text<'a>, value: Value<'a>);

    /// Reads a whole object from its opening brace on.
    #[inline(always)]
    fn read(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Fault> {
        let start = cursor.clone();
        cursor.open_object()?;
        let mut first = true;
        while let Some(name) = cursor.name(std::mem::take(&mut first))? {
            if let Taken::Again = self.member(name, cursor)? {
                *cursor = start;
                return self.read_duplicates(cursor);
            }
        }
        Ok(())
    }

    /// The slow path: of each name only the last member counts.
    #[cold]
    #[inline(never)]
    fn read_duplicates(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Fault> {
        self.reset();
        cursor.open_object()?;
        let mut all = Vec::new();
        let mut first = true;
        while let Some(name) = cursor.name(std::mem::take(&mut first))? {
            let value = if Self::HAS_BODIES && is_body(&name.decode()) {
                cursor.carry()?
            } else {
                cursor.value()?
            };
            all.push((name, value));
        }
        let last: HashMap<Cow<'a, str>, usize> = all
            .iter()
            .enumerate()
            .map(|(index, (name, _))| (name.identity(), index))
            .collect();
        for (index, &(name, value)) in all.iter().enumerate() {
            if last.get(&name.identity()) == Some(&index) {
                self.member(name, &mut Cursor::new(value.raw))?;
            } else {
                self.duplicate(name, value);
            }
        }
        Ok(())
    }
}

fn is_body(name: &str) -> bool {
    matches!(name, "requestObject" | "responseObject")
}

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
    /// `inherited` is the `apiVersion` of the list that the event is an item of: the items of an
    /// `EventList` have none.
    ///
    /// # Errors
    ///
    /// [`NoEvent`] when `text` does not begin with one complete JSON object whose own members are
    /// well-formed, or when that object is no audit event.
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
            let value = cursor.value()?;
            self.event
                .leftovers
                .member(ParentObject::Event, name, value);
            return Ok(Taken::Yes);
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
        // The slow path, for duplicate names, forgets the memo: there it is worked out by who needs
        // it.
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

/// The kinds of fields. Each reads the value at the cursor and leaves over what the column cannot
/// hold.
impl<'a> Event<'a> {
    #[inline(always)]
    fn text(
        &mut self,
        place: ParentObject,
        name: Text<'a>,
        cursor: &mut Cursor<'a>,
    ) -> Result<Option<Text<'a>>, Fault> {
        let value = cursor.value()?;
        let text = value.text();
        match text {
            Some(text) if text.plain().is_some() => {}
            Some(text) if text.is_exact() => {}
            _ => self.leftovers.member(place, name, value),
        }
        Ok(text)
    }

    /// An array of strings.
    #[inline(always)]
    fn texts(
        &mut self,
        place: ParentObject,
        name: Text<'a>,
        cursor: &mut Cursor<'a>,
    ) -> Result<Option<Value<'a>>, Fault> {
        let (value, texts) = texts(cursor)?;
        if texts != Texts::Exact {
            self.leftovers.member(place, name, value);
        }
        Ok(Some(value).filter(|_| texts != Texts::No))
    }

    fn time(&mut self, name: Text<'a>, cursor: &mut Cursor<'a>) -> Result<Option<i64>, Fault> {
        let value = cursor.value()?;
        let text = value.text();
        let micros = text.and_then(|text| parse_micros(&text.decode()));
        // The apiserver writes microseconds and a Z. Any other spelling must come back as it was.
        let canonical = text.is_some_and(|text| {
            let raw = text.plain().unwrap_or_default().as_bytes();
            raw.len() == CANONICAL_LENGTH && raw[10] == b'T' && raw[CANONICAL_LENGTH - 1] == b'Z'
        });
        if micros.is_none() || !canonical {
            self.leftovers.member(ParentObject::Event, name, value);
        }
        Ok(micros)
    }

    #[inline(always)]
    fn body(
        &mut self,
        name: Text<'a>,
        cursor: &mut Cursor<'a>,
    ) -> Result<Option<Value<'a>>, Fault> {
        let value = cursor.carry()?;
        if value.kind == ValueKind::Null {
            self.leftovers.member(ParentObject::Event, name, value);
            return Ok(None);
        }
        Ok(Some(value))
    }

    fn annotations(
        &mut self,
        name: Text<'a>,
        cursor: &mut Cursor<'a>,
    ) -> Result<Option<Value<'a>>, Fault> {
        if !self.is_object(name, cursor)? {
            return Ok(None);
        }
        let read = |cursor: &mut Cursor<'a>| {
            let value = cursor.value()?;
            Ok((
                value,
                value
                    .text()
                    .is_some_and(|text| text.plain().is_some() || text.is_exact()),
            ))
        };
        self.entries(ParentObject::Annotations, cursor, read)
            .map(Some)
    }

    /// An object whose values should all be of one kind; the others are left over.
    #[inline(always)]
    fn entries(
        &mut self,
        place: ParentObject,
        cursor: &mut Cursor<'a>,
        read: impl Fn(&mut Cursor<'a>) -> Result<(Value<'a>, bool), Fault>,
    ) -> Result<Value<'a>, Fault> {
        let start = cursor.at();
        cursor.open_object()?;
        let mut first = true;
        while let Some(key) = cursor.name(std::mem::take(&mut first))? {
            let (value, fits) = read(cursor)?;
            if !fits || (key.plain().is_none() && !key.is_exact()) {
                self.leftovers.member(place, key, value);
            }
        }
        Ok(cursor.object_since(start))
    }

    /// Steps over a value that should be an object and is none; the next byte tells.
    #[inline(always)]
    fn is_object(&mut self, name: Text<'a>, cursor: &mut Cursor<'a>) -> Result<bool, Fault> {
        if cursor.peek()? == b'{' {
            return Ok(true);
        }
        let value = cursor.value()?;
        self.leftovers.member(ParentObject::Event, name, value);
        Ok(false)
    }

    fn user(
        &mut self,
        name: Text<'a>,
        cursor: &mut Cursor<'a>,
        place: ParentObject,
    ) -> Result<(), Fault> {
        if !self.is_object(name, cursor)? {
            return Ok(());
        }
        let start = cursor.at();
        let mut reader = UserReader {
            event: self,
            user: User::default(),
            seen: 0,
            place,
        };
        reader.read(cursor)?;
        let mut user = reader.user;
        user.raw = Some(cursor.object_since(start).raw);
        if user.username.is_none()
            && user.uid.is_none()
            && user.groups.is_none()
            && user.extra.is_none()
        {
            self.leftovers.empty_object(place);
        }
        *(if place == ParentObject::User {
            &mut self.user
        } else {
            &mut self.impersonated
        }) = user;
        Ok(())
    }

    fn object(&mut self, name: Text<'a>, cursor: &mut Cursor<'a>) -> Result<(), Fault> {
        if !self.is_object(name, cursor)? {
            return Ok(());
        }
        let mut reader = ObjectReader {
            event: self,
            object: ObjectRef::default(),
            seen: 0,
        };
        reader.read(cursor)?;
        let object = reader.object;
        let shown = [
            object.resource,
            object.namespace,
            object.name,
            object.uid,
            object.api_group,
            object.api_version,
            object.resource_version,
            object.subresource,
        ];
        if shown.iter().all(Option::is_none) {
            self.leftovers.empty_object(ParentObject::Object);
        }
        self.object = object;
        Ok(())
    }

    fn authentication(&mut self, name: Text<'a>, cursor: &mut Cursor<'a>) -> Result<(), Fault> {
        if !self.is_object(name, cursor)? {
            return Ok(());
        }
        let mut reader = AuthenticationReader {
            event: self,
            constraint: None,
            seen: false,
        };
        reader.read(cursor)?;
        let constraint = reader.constraint;
        if constraint.is_none() {
            self.leftovers.empty_object(ParentObject::Authentication);
        }
        self.impersonation_constraint = constraint;
        Ok(())
    }

    fn response(&mut self, name: Text<'a>, cursor: &mut Cursor<'a>) -> Result<(), Fault> {
        if !self.is_object(name, cursor)? {
            return Ok(());
        }
        if let Some((code, length)) = usual_response(cursor.rest()) {
            cursor.advance(length);
            self.response.code = Some(code);
            return Ok(());
        }
        let mut reader = ResponseReader {
            event: self,
            response: ResponseStatus::default(),
            metadata: None,
            seen: 0,
        };
        reader.read(cursor)?;
        let ResponseReader {
            response, metadata, ..
        } = reader;
        let shown = response.code.is_some()
            || response.status.is_some()
            || response.reason.is_some()
            || response.message.is_some()
            || response.details.is_some();
        // `metadata: {}` is there in every response the apiserver writes: implied where a column
        // shows the response.
        match metadata {
            Some((_, value)) if shown && value.raw == "{}" => {}
            Some((name, value)) => self.leftovers.member(ParentObject::Response, name, value),
            None if shown => self.leftovers.absent("responseStatus.metadata"),
            None => self.leftovers.empty_object(ParentObject::Response),
        }
        self.response = response;
        Ok(())
    }
}

/// The code of the response that nearly every event has, and its length:
/// `{"metadata":{},"code":200}`.
#[inline(always)]
fn usual_response(text: &str) -> Option<(i32, usize)> {
    const USUAL: &[u8] = b"{\"metadata\":{},\"code\":";
    match text.as_bytes().strip_prefix(USUAL)? {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', b'}', ..] => {
            let digit = |digit: &u8| i32::from(digit - b'0');
            Some((digit(a) * 100 + digit(b) * 10 + digit(c), USUAL.len() + 4))
        }
        _ => None,
    }
}

/// Is a value an array of strings?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Texts {
    No,
    /// Yes, but decoding loses something.
    Lossy,
    Exact,
}

/// The next value, and whether it is an array of strings, in one walk.
#[inline(always)]
fn texts<'a>(cursor: &mut Cursor<'a>) -> Result<(Value<'a>, Texts), Fault> {
    if cursor.peek()? != b'[' {
        return Ok((cursor.value()?, Texts::No));
    }
    let start = cursor.at();
    cursor.take(b'[')?;
    let mut texts = Texts::Exact;
    let mut first = true;
    while cursor.element(std::mem::take(&mut first))? {
        match cursor.value()?.text() {
            None => texts = Texts::No,
            Some(text) if text.plain().is_none() && !text.is_exact() && texts == Texts::Exact => {
                texts = Texts::Lossy
            }
            Some(_) => {}
        }
    }
    Ok((cursor.array_since(start), texts))
}

struct UserReader<'e, 'a> {
    event: &'e mut Event<'a>,
    user: User<'a>,
    seen: u8,
    place: ParentObject,
}

impl<'a> ObjectMembers<'a> for UserReader<'_, 'a> {
    #[inline(always)]
    fn member(&mut self, name: Text<'a>, cursor: &mut Cursor<'a>) -> Result<Taken, Fault> {
        let bit = match &*name.decode() {
            "username" => 1,
            "uid" => 2,
            "groups" => 4,
            "extra" => 8,
            _ => {
                let value = cursor.value()?;
                self.event.leftovers.member(self.place, name, value);
                return Ok(Taken::Yes);
            }
        };
        if self.seen & bit != 0 {
            return Ok(Taken::Again);
        }
        self.seen |= bit;
        match bit {
            1 => self.user.username = self.event.text(self.place, name, cursor)?,
            2 => self.user.uid = self.event.text(self.place, name, cursor)?,
            4 => self.user.groups = self.event.texts(self.place, name, cursor)?,
            _ => {
                if cursor.peek()? == b'{' {
                    let place = if self.place == ParentObject::User {
                        ParentObject::UserExtra
                    } else {
                        ParentObject::ImpersonatedExtra
                    };
                    self.user.extra = Some(self.event.entries(place, cursor, |cursor| {
                        let (value, texts) = texts(cursor)?;
                        Ok((value, texts == Texts::Exact))
                    })?);
                } else {
                    let value = cursor.value()?;
                    self.event.leftovers.member(self.place, name, value);
                }
            }
        }
        Ok(Taken::Yes)
    }

    fn reset(&mut self) {
        self.event.leftovers.forget(self.place);
        (self.user, self.seen) = (User::default(), 0);
    }

    fn duplicate(&mut self, name: Text<'a>, value: Value<'a>) {
        self.event.leftovers.duplicate(self.place, name, value);
    }
}

struct ObjectReader<'e, 'a> {
    event: &'e mut Event<'a>,
    object: ObjectRef<'a>,
    seen: u16,
}

impl<'a> ObjectMembers<'a> for ObjectReader<'_, 'a> {
    #[inline(always)]
    fn member(&mut self, name: Text<'a>, cursor: &mut Cursor<'a>) -> Result<Taken, Fault> {
        let (bit, slot) = match &*name.decode() {
            "resource" => (1, &mut self.object.resource),
            "namespace" => (2, &mut self.object.namespace),
            "name" => (4, &mut self.object.name),
            "uid" => (8, &mut self.object.uid),
            "apiGroup" => (16, &mut self.object.api_group),
            "apiVersion" => (32, &mut self.object.api_version),
            "resourceVersion" => (64, &mut self.object.resource_version),
            "subresource" => (128, &mut self.object.subresource),
            _ => {
                let value = cursor.value()?;
                self.event
                    .leftovers
                    .member(ParentObject::Object, name, value);
                return Ok(Taken::Yes);
            }
        };
        if self.seen & bit != 0 {
            return Ok(Taken::Again);
        }
        self.seen |= bit;
        *slot = self.event.text(ParentObject::Object, name, cursor)?;
        Ok(Taken::Yes)
    }

    fn reset(&mut self) {
        self.event.leftovers.forget(ParentObject::Object);
        (self.object, self.seen) = (ObjectRef::default(), 0);
    }

    fn duplicate(&mut self, name: Text<'a>, value: Value<'a>) {
        self.event
            .leftovers
            .duplicate(ParentObject::Object, name, value);
    }
}

struct AuthenticationReader<'e, 'a> {
    event: &'e mut Event<'a>,
    constraint: Option<Text<'a>>,
    seen: bool,
}

impl<'a> ObjectMembers<'a> for AuthenticationReader<'_, 'a> {
    fn member(&mut self, name: Text<'a>, cursor: &mut Cursor<'a>) -> Result<Taken, Fault> {
        if !name.eq_str("impersonationConstraint") {
            let value = cursor.value()?;
            self.event
                .leftovers
                .member(ParentObject::Authentication, name, value);
        } else if std::mem::replace(&mut self.seen, true) {
            return Ok(Taken::Again);
        } else {
            self.constraint = self
                .event
                .text(ParentObject::Authentication, name, cursor)?;
        }
        Ok(Taken::Yes)
    }

    fn reset(&mut self) {
        self.event.leftovers.forget(ParentObject::Authentication);
        (self.constraint, self.seen) = (None, false);
    }

    fn duplicate(&mut self, name: Text<'a>, value: Value<'a>) {
        self.event
            .leftovers
            .duplicate(ParentObject::Authentication, name, value);
    }
}

struct ResponseReader<'e, 'a> {
    event: &'e mut Event<'a>,
    response: ResponseStatus<'a>,
    metadata: Option<(Text<'a>, Value<'a>)>,
    seen: u8,
}

impl<'a> ObjectMembers<'a> for ResponseReader<'_, 'a> {
    #[inline(always)]
    fn member(&mut self, name: Text<'a>, cursor: &mut Cursor<'a>) -> Result<Taken, Fault> {
        let bit = match &*name.decode() {
            "metadata" => 1,
            "code" => 2,
            "status" => 4,
            "reason" => 8,
            "message" => 16,
            "details" => 32,
            _ => {
                let value = cursor.value()?;
                self.event
                    .leftovers
                    .member(ParentObject::Response, name, value);
                return Ok(Taken::Yes);
            }
        };
        if self.seen & bit != 0 {
            return Ok(Taken::Again);
        }
        self.seen |= bit;
        match bit {
            1 => self.metadata = Some((name, cursor.value()?)),
            4 => self.response.status = self.event.text(ParentObject::Response, name, cursor)?,
            8 => self.response.reason = self.event.text(ParentObject::Response, name, cursor)?,
            16 => self.response.message = self.event.text(ParentObject::Response, name, cursor)?,
            2 => {
                let value = cursor.value()?;
                self.response.code = canonical_i32(value);
                if self.response.code.is_none() {
                    self.event
                        .leftovers
                        .member(ParentObject::Response, name, value);
                }
            }
            _ => {
                let value = cursor.value()?;
                if value.kind == ValueKind::Null {
                    self.event
                        .leftovers
                        .member(ParentObject::Response, name, value);
                } else {
                    self.response.details = Some(value);
                }
            }
        }
        Ok(Taken::Yes)
    }

    fn reset(&mut self) {
        self.event.leftovers.forget(ParentObject::Response);
        (self.response, self.metadata, self.seen) = (ResponseStatus::default(), None, 0);
    }

    fn duplicate(&mut self, name: Text<'a>, value: Value<'a>) {
        self.event
            .leftovers
            .duplicate(ParentObject::Response, name, value);
    }
}

/// An integer that is written back with the same digits.
fn canonical_i32(value: Value<'_>) -> Option<i32> {
    if value.kind != ValueKind::Number || value.raw == "-0" {
        return None;
    }
    value.raw.parse().ok()
}
