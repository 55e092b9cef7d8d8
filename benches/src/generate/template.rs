//! Templates of events: a text with `<fields>` is parsed once and written many times.

use std::io;

use super::caller::Caller;
use super::cluster::Objects;
use super::malformed;
use super::random::Random;
use super::{text, time};

/// A text's literal parts and fields, in order.
pub(super) struct Template(Vec<Piece>);

enum Piece {
    Text(Box<str>),
    Field(Field),
}

/// What is written in a field's place at the time an event is written.
#[derive(Clone, Copy, Debug)]
enum Field {
    /// A property of the flow's objects.
    Object(fn(&Objects, &mut Vec<u8>)),
    /// A property of the user who sends the request.
    Caller(fn(&Caller, &mut Vec<u8>)),
    /// A certificate or the like: its salt and length.
    Base64(u64, usize),
    AuditId,
    Received,
    Stage,
    Latency,
    Born,
    BornMicro,
    Now,
    Nanoseconds16,
    ResourceVersion,
    NextResourceVersion,
    Uuid,
    Timeout,
    Continue,
    Microseconds,
    Nanoseconds,
    Fraction,
    NewcomerNumber,
}

const FIELDS: &[(&str, Field)] = &[
    ("app", Field::Object(Objects::write_app)),
    ("app.ip", Field::Object(Objects::write_app_ip)),
    ("app.uid", Field::Object(Objects::write_app_uid)),
    ("audit", Field::AuditId),
    ("born", Field::Born),
    ("bundle", Field::Base64(30, 1560)),
    ("caller", Field::Caller(Caller::write_name)),
    ("caller.address", Field::Caller(Caller::write_address)),
    ("caller.subject", Field::Caller(Caller::write_subject)),
    ("caller.user", Field::Caller(Caller::write_user)),
    ("certificate", Field::Base64(31, 1476)),
    ("colleague", Field::Object(Objects::write_human)),
    ("container", Field::Object(Objects::write_container)),
    ("continue", Field::Continue),
    ("csr", Field::Base64(32, 1204)),
    ("fraction", Field::Fraction),
    ("hash", Field::Object(Objects::write_hash)),
    ("human", Field::Object(Objects::write_human)),
    ("image", Field::Object(Objects::write_image)),
    ("job", Field::Object(Objects::write_job)),
    ("job.uid", Field::Object(Objects::write_job_uid)),
    ("latency", Field::Latency),
    ("micro", Field::BornMicro),
    ("microseconds", Field::Microseconds),
    ("n", Field::Object(Objects::write_count)),
    ("name", Field::Object(Objects::write_name)),
    ("nanos", Field::Nanoseconds16),
    ("nanoseconds", Field::Nanoseconds),
    ("newcomer", Field::Object(Objects::write_newcomer)),
    ("newcomer.number", Field::NewcomerNumber),
    ("node", Field::Object(Objects::write_node)),
    ("node.cidr", Field::Object(Objects::write_node_cidr)),
    (
        "node.credential",
        Field::Object(Objects::write_node_credential),
    ),
    ("node.ip", Field::Object(Objects::write_node_ip)),
    ("node.uid", Field::Object(Objects::write_node_uid)),
    ("now", Field::Now),
    ("ns", Field::Object(Objects::write_namespace)),
    ("ns.uid", Field::Object(Objects::write_namespace_uid)),
    ("octet", Field::Object(Objects::write_octet)),
    ("othernode", Field::Object(Objects::write_other_node)),
    ("pod", Field::Object(Objects::write_pod)),
    ("pod.ip", Field::Object(Objects::write_pod_ip)),
    ("pod.uid", Field::Object(Objects::write_pod_uid)),
    ("received", Field::Received),
    ("rs.uid", Field::Object(Objects::write_replica_set_uid)),
    ("rv", Field::ResourceVersion),
    ("rv+", Field::NextResourceVersion),
    ("service.uid", Field::Object(Objects::write_service_uid)),
    ("slice", Field::Object(Objects::write_slice)),
    ("stage", Field::Stage),
    ("steady.pod", Field::Object(Objects::write_steady_pod)),
    ("tenant", Field::Object(Objects::write_app)),
    ("timeout", Field::Timeout),
    ("uid", Field::Object(Objects::write_uid)),
    ("uuid", Field::Uuid),
    ("volume", Field::Object(Objects::write_volume)),
];

/// The one event that is being written.
pub(super) struct Moment<'a> {
    pub(super) objects: &'a Objects,
    pub(super) caller: &'a Caller,
    /// The request's own numbers: both stages of a request draw the same ones.
    pub(super) random: Random,
    /// Microseconds since 1970.
    pub(super) received: i64,
    pub(super) stage: i64,
    pub(super) resource_version: u64,
    pub(super) next_resource_version: u64,
}

impl Template {
    pub(super) fn compile(source: &str) -> io::Result<Self> {
        let mut pieces = Vec::new();
        let mut rest = source;
        while let Some((before, after)) = rest.split_once('<') {
            let (name, after) = after
                .split_once('>')
                .ok_or_else(|| malformed("open field", after))?;
            let field = FIELDS
                .iter()
                .find(|field| field.0 == name)
                .ok_or_else(|| malformed("no such field", name))?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.into()));
            }
            pieces.push(Piece::Field(field.1));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        Ok(Self(pieces))
    }

    pub(super) fn write(&self, out: &mut Vec<u8>, moment: &mut Moment<'_>) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Field(field) => field.write(out, moment),
            }
        }
    }
}

impl Field {
    fn write(self, out: &mut Vec<u8>, moment: &mut Moment<'_>) {
        match self {
            Self::Object(write) => write(moment.objects, out),
            Self::Caller(write) => write(moment.caller, out),
            Self::Base64(salt, length) => moment.objects.write_base64(out, salt, length),
            Self::AuditId | Self::Uuid => text::uuid(out, moment.random.next()),
            Self::Received => time::write_micros(out, moment.received),
            Self::Stage => time::write_micros(out, moment.stage),
            Self::Latency => {
                let micros = (moment.stage - moment.received).unsigned_abs();
                let nanos = micros * 1000 + moment.random.below(1000);
                if nanos >= 1_000_000_000 {
                    text::number(out, nanos / 1_000_000_000);
                    out.push(b'.');
                    text::digits(out, nanos, 9);
                    out.push(b's');
                } else {
                    text::number(out, nanos / 1_000_000);
                    out.push(b'.');
                    text::digits(out, nanos, 6);
                    out.extend_from_slice(b"ms");
                }
            }
            Self::Born => time::write_seconds(out, moment.objects.born),
            Self::BornMicro => time::write_micros(out, moment.objects.born),
            Self::Now => time::write_seconds(out, moment.stage),
            Self::Nanoseconds16 => {
                let nanos = moment.stage.unsigned_abs() * 1000 + moment.random.below(1000);
                text::hex(out, nanos, 16);
            }
            Self::ResourceVersion => text::number(out, moment.resource_version),
            Self::NextResourceVersion => text::number(out, moment.next_resource_version),
            Self::Timeout => {
                let seconds = 300 + moment.random.below(3300);
                out.extend_from_slice(b"timeout=");
                text::number(out, seconds / 60);
                out.push(b'm');
                text::number(out, seconds % 60);
                out.extend_from_slice(b"s\\u0026timeoutSeconds=");
                text::number(out, seconds);
            }
            Self::Continue => text::base64(out, moment.random.next(), 84),
            Self::Microseconds => {
                text::number(out, 2 + moment.random.below(500));
                out.push(b'.');
                text::digits(out, moment.random.next(), 3);
                out.extend_from_slice("µs".as_bytes());
            }
            Self::Nanoseconds => {
                text::number(out, 90 + moment.random.below(400));
                out.extend_from_slice(b"ns");
            }
            Self::Fraction => text::digits(out, moment.random.next(), 6),
            Self::NewcomerNumber => text::number(out, 100 + moment.objects.newcomer),
        }
    }
}
