//! The objects of an event: `user`, `impersonatedUser`, `objectRef`, `authenticationMetadata` and
//! `responseStatus` at the cursor in, their slices in the [`Event`] out.

use crate::event::fields::{Texts, canonical_i32, texts};
use crate::event::members::{ObjectMembers, Taken};
use crate::event::{Event, ObjectRef, ParentObject, ResponseStatus, User};
use crate::json::{Cursor, Fault, Text, Value, ValueKind};

impl<'a> Event<'a> {
    pub(super) fn user(
        &mut self,
        name: Text<'a>,
        cursor: &mut Cursor<'a>,
        parent: ParentObject,
    ) -> Result<(), Fault> {
        if !self.is_object(name, cursor)? {
            return Ok(());
        }
        let start = cursor.at();
        let mut reader = UserReader {
            event: self,
            user: User::default(),
            seen: 0,
            parent,
        };
        reader.read(cursor)?;
        let mut user = reader.user;
        user.raw = Some(cursor.object_since(start).raw);
        if user.username.is_none()
            && user.uid.is_none()
            && user.groups.is_none()
            && user.extra.is_none()
        {
            self.leftovers.empty_object(parent);
        }
        *(if parent == ParentObject::User {
            &mut self.user
        } else {
            &mut self.impersonated
        }) = user;
        Ok(())
    }

    pub(super) fn object(&mut self, name: Text<'a>, cursor: &mut Cursor<'a>) -> Result<(), Fault> {
        if !self.is_object(name, cursor)? {
            return Ok(());
        }
        let mut reader = ObjectReader {
            event: self,
            object: ObjectRef::default(),
            seen: 0,
        };
        reader.read(cursor)?;
        let mut object = reader.object;
        // Columns say the same of what is empty and of what is absent.
        let elided = [
            ("namespace", object.namespace),
            ("name", object.name),
            ("apiGroup", object.api_group),
            ("subresource", object.subresource),
        ];
        for (name, _) in elided.iter().filter(|(_, text)| *text == Some(Text::EMPTY)) {
            self.leftovers.empty_text(ParentObject::Object, name);
        }
        let shown = elided.map(|(_, text)| text).into_iter().chain([
            object.resource,
            object.uid,
            object.api_version,
            object.resource_version,
        ]);
        object.is_given = shown.into_iter().any(|text| text.is_some());
        if !object.is_given {
            self.leftovers.empty_object(ParentObject::Object);
        }
        self.object = object;
        Ok(())
    }

    pub(super) fn authentication(
        &mut self,
        name: Text<'a>,
        cursor: &mut Cursor<'a>,
    ) -> Result<(), Fault> {
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

    pub(super) fn response(
        &mut self,
        name: Text<'a>,
        cursor: &mut Cursor<'a>,
    ) -> Result<(), Fault> {
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

struct UserReader<'e, 'a> {
    event: &'e mut Event<'a>,
    user: User<'a>,
    seen: u8,
    parent: ParentObject,
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
                self.event.leftovers.member(self.parent, name, value);
                return Ok(Taken::Yes);
            }
        };
        if self.seen & bit != 0 {
            return Ok(Taken::Again);
        }
        self.seen |= bit;
        match bit {
            1 => self.user.username = self.event.text(self.parent, name, cursor)?,
            2 => self.user.uid = self.event.text(self.parent, name, cursor)?,
            4 => self.user.groups = self.event.texts(self.parent, name, cursor)?,
            _ => {
                if cursor.peek()? == b'{' {
                    let extra = if self.parent == ParentObject::User {
                        ParentObject::UserExtra
                    } else {
                        ParentObject::ImpersonatedExtra
                    };
                    self.user.extra = Some(self.event.entries(extra, cursor, |cursor| {
                        let (value, texts) = texts(cursor)?;
                        Ok((value, texts == Texts::Exact))
                    })?);
                } else {
                    let value = cursor.value()?;
                    self.event.leftovers.odd_member(self.parent, name, value);
                }
            }
        }
        Ok(Taken::Yes)
    }

    fn reset(&mut self) {
        self.event.leftovers.forget(self.parent);
        (self.user, self.seen) = (User::default(), 0);
    }

    fn duplicate(&mut self, name: Text<'a>, value: Value<'a>) {
        self.event.leftovers.duplicate(self.parent, name, value);
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
                        .odd_member(ParentObject::Response, name, value);
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
