//! One row before it becomes columns: an event and where it came from go in; values of columns come
//! out, with what several columns derive from computed once.

use std::{borrow::Cow, cell::OnceCell, sync::Arc};

use crate::event::{
    Event, Grant, ObjectRef, ParentObject, Reason, ReasonCache, service_account,
    structured_decision,
};
use crate::json::{Text, Value, elements, last_member, members};
use crate::record::sink::{EventSource, RecordLocation};
use crate::request::joined_param;
use crate::schema::EventPart;
use crate::time::MICROS_A_DAY;

/// Where an event came from: the content of the provenance columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowOrigin<'a> {
    pub(crate) cluster: Option<&'a str>,
    pub(crate) account: Option<&'a str>,
    pub(crate) log_stream: Option<&'a str>,
    pub(crate) format: &'static str,
    pub(crate) source_file: &'a str,
    /// 1 + the newlines before the record; 0 where the scan does not count lines.
    pub(crate) source_line: i64,
    /// Offset of the record's first byte in the decompressed file.
    pub(crate) source_offset: i64,
    /// Length of the record in decompressed bytes.
    pub(crate) event_bytes: i64,
    /// The row's source in a lake; `None` outside lakes.
    pub(crate) source_id: Option<&'a str>,
    /// The identity of the event; `None` outside lakes.
    pub(crate) event_hash: Option<i64>,
}

impl RecordLocation {
    /// The provenance of a row that lies here; `cluster` is what the user calls it where the source
    /// does not know.
    pub(crate) fn origin<'o>(
        self,
        source: &EventSource<'o>,
        source_file: &'o str,
        cluster: Option<&'o str>,
    ) -> RowOrigin<'o> {
        RowOrigin {
            cluster: source.cluster.or(cluster),
            account: source.account,
            log_stream: source.log_stream,
            format: source.format,
            source_file,
            source_line: self.line as i64,
            source_offset: self.offset as i64,
            event_bytes: self.length as i64,
            source_id: None,
            event_hash: self.identity,
        }
    }
}

/// An event with its origin.
pub(crate) struct Row<'r, 'a> {
    pub(crate) event: &'r Event<'a>,
    pub(crate) origin: RowOrigin<'r>,
    reasons: &'r ReasonCache,
    reason: OnceCell<Arc<Reason>>,
    annotations: OnceCell<Annotations<'a>>,
}

/// The annotations that have columns of their own, found in one walk.
#[derive(Default)]
struct Annotations<'a> {
    decision: Option<Text<'a>>,
    reason: Option<Text<'a>>,
    /// GKE's, which delivers no URI.
    dry_run: Option<Text<'a>>,
    truncated: bool,
}

/// The texts of a list in one; `None` if there are none.
fn texts<'a>(list: Value<'a>) -> Option<Cow<'a, str>> {
    let texts = elements(list).filter_map(Value::text).map(Text::decode);
    let texts: Vec<_> = texts.collect();
    (!texts.is_empty()).then(|| Cow::Owned(texts.join(",")))
}

impl<'r, 'a> Row<'r, 'a> {
    pub(crate) const fn new(
        event: &'r Event<'a>,
        origin: RowOrigin<'r>,
        reasons: &'r ReasonCache,
    ) -> Self {
        Self {
            event,
            origin,
            reasons,
            reason: OnceCell::new(),
            annotations: OnceCell::new(),
        }
    }

    fn annotations(&self) -> &Annotations<'a> {
        self.annotations.get_or_init(|| {
            let mut found = Annotations::default();
            let Some(annotations) = self.event.annotations else {
                return found;
            };
            for (key, value) in members(annotations.raw) {
                match &*key.decode() {
                    "authorization.k8s.io/decision" => found.decision = value.text(),
                    "authorization.k8s.io/reason" => found.reason = value.text(),
                    "command.gke.io/dryRun" => found.dry_run = value.text(),
                    "audit.k8s.io/truncated" => {
                        found.truncated = value.text().is_some_and(|text| text.eq_str("true"))
                    }
                    _ => {}
                }
            }
            found
        })
    }

    /// The structured decision, else `authorization.k8s.io/decision`.
    pub(crate) fn decision(&self) -> Option<Text<'a>> {
        let structured = self.event.authorization;
        structured
            .and_then(|decision| structured_decision(decision.raw))
            .or(self.annotations().decision)
    }

    /// `authorization.k8s.io/reason`, as written.
    pub(crate) fn reason_text(&self) -> Option<Text<'a>> {
        self.annotations().reason
    }

    /// Were the bodies dropped for size, or did the delivery cut the event?
    pub(crate) fn truncated(&self) -> bool {
        self.event.truncated || self.annotations().truncated
    }

    /// Microseconds from the request's arrival to the stage; unknown where an envelope has one time
    /// for both.
    pub(crate) fn latency(&self) -> Option<i64> {
        if self.event.one_time {
            None
        } else {
            self.event.staged?.checked_sub(self.event.received?)
        }
    }

    /// The UTC day of the stage, in days since the epoch.
    pub(crate) fn date(&self) -> Option<i32> {
        i32::try_from(self.event.staged?.div_euclid(MICROS_A_DAY)).ok()
    }

    /// A member of `objectRef`, which the apiserver leaves out where it is empty.
    pub(crate) fn of_object(
        &self,
        member: for<'o> fn(&'o ObjectRef<'a>) -> Option<Text<'a>>,
    ) -> Option<Text<'a>> {
        let object = &self.event.object;
        member(object).or(object.is_given.then_some(Text::EMPTY))
    }

    /// The name of the object, from the response where the apiserver made it from `generateName`.
    pub(crate) fn object_name(&self) -> Option<Cow<'a, str>> {
        let object = &self.event.object;
        let name = object.name.filter(|name| *name != Text::EMPTY).or_else(|| {
            let response = self.event.response_object.filter(|_| object.is_given)?;
            let metadata = last_member(response.raw, "metadata")?;
            last_member(metadata.raw, "name")?.text()
        });
        name.map(Text::decode)
    }

    /// `dryRun` of the request. The body of a delete decides alone, because the apiserver then does
    /// not look at the query (`endpoints/handlers/delete.go`); an eviction has its delete options in
    /// the body, beside its own in the query.
    pub(crate) fn dry_run(&self) -> Option<Cow<'a, str>> {
        let event = self.event;
        let is_verb = |verb: &str| event.verb.is_some_and(|text| text.eq_str(verb));
        if let Some(body) = event.request_object
            && (is_verb("delete") || is_verb("deletecollection"))
        {
            return texts(last_member(body.raw, "dryRun")?);
        }
        let uri = event.request_uri.map(Text::decode);
        let in_body = || {
            let is_eviction = |text: Text<'_>| text.eq_str("eviction");
            event.object.subresource.filter(|text| is_eviction(*text))?;
            let options = last_member(event.request_object?.raw, "deleteOptions")?;
            texts(last_member(options.raw, "dryRun")?)
        };
        uri.and_then(|uri| joined_param(&uri, "dryRun", ",").map(Cow::Owned))
            .or_else(in_body)
            .or_else(|| self.annotations().dry_run.map(Text::decode))
    }

    /// The structured decision and the authorization reason, taken apart.
    pub(crate) fn reason(&self) -> &Reason {
        self.reason.get_or_init(|| {
            let text = self.reason_text().map(Text::decode);
            match (self.event.authorization, text) {
                (Some(decision), text) => {
                    let text = text.as_deref().unwrap_or_default();
                    self.reasons.structured(decision.raw, text)
                }
                (None, Some(text)) => self.reasons.parse(&text),
                (None, None) => Arc::default(),
            }
        })
    }

    /// The RBAC grant that allowed the request.
    pub(crate) fn grant(&self) -> Option<&Grant> {
        self.reason().grant.as_ref()
    }

    /// The first value of a key of `user.extra`.
    pub(crate) fn user_extra(&self, key: &str) -> Option<Text<'a>> {
        elements(last_member(self.event.user.extra?.raw, key)?)
            .next()?
            .text()
    }

    /// The decoded name of the actor.
    pub(crate) fn actor_name(&self) -> Option<Cow<'a, str>> {
        self.event.actor().name.map(Text::decode)
    }

    /// The `part` of the namespace and name of the service account that acted.
    pub(crate) fn service_account(
        &self,
        part: for<'n> fn(&'n str, &'n str) -> &'n str,
    ) -> Option<Cow<'a, str>> {
        let actor = self.actor_name()?;
        let (namespace, name) = service_account(&actor)?;
        Some(Cow::Owned(part(namespace, name).to_owned()))
    }

    /// An element of `sourceIPs`: the first or the last.
    pub(crate) fn source_ip(&self, last: bool) -> Option<Text<'a>> {
        let mut ips = elements(self.event.source_ips?);
        if last {
            ips.last()?.text()
        } else {
            ips.next()?.text()
        }
    }

    /// Where the record begins; `None` where lines were not counted.
    pub(crate) fn source_line(&self) -> Option<i64> {
        (self.origin.source_line > 0).then_some(self.origin.source_line)
    }

    /// What no other column holds. Duplicate keys of the map columns are looked for only here.
    pub(crate) fn unknown_fields(&self) -> Option<String> {
        self.event.leftovers.to_json(&[
            (ParentObject::Annotations, self.event.annotations),
            (ParentObject::UserExtra, self.event.user.extra),
            (
                ParentObject::ImpersonatedExtra,
                self.event.impersonated.extra,
            ),
        ])
    }

    /// Appends a text of one part of the row: rows with equal texts have equal values in all columns
    /// that are a function of the part.
    pub(crate) fn append_part(&self, part: EventPart, out: &mut Vec<u8>) {
        // UTF-8 never contains these bytes.
        const NEXT: u8 = 0xff;
        const NONE: u8 = 0xfe;
        let mut add = |text: Option<&str>| {
            if let Some(text) = text {
                out.extend_from_slice(text.as_bytes());
            }
            out.push(if text.is_some() { NEXT } else { NONE });
        };
        match part {
            EventPart::Event => {}
            EventPart::User => [self.event.user.raw, self.event.impersonated.raw]
                .into_iter()
                .for_each(add),
            EventPart::SourceIps => add(self.event.source_ips.map(|value| value.raw)),
            EventPart::Annotations => [self.event.annotations, self.event.authorization]
                .into_iter()
                .for_each(|value| add(value.map(|value| value.raw))),
            EventPart::Input => {
                let origin = &self.origin;
                let parts = [
                    origin.cluster,
                    origin.account,
                    origin.log_stream,
                    Some(origin.format),
                    Some(origin.source_file),
                    origin.source_id,
                ];
                parts.into_iter().for_each(add);
            }
        }
    }
}
