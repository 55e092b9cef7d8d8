//! Recorded and computed decisions in, rows out: `rbac replay`, `rbac can-i`, `rbac who-can`,
//! `rbac explain`.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hash::RandomState;

use datafusion::arrow::array::RecordBatch;

use crate::access::rbac::unused::{binding_name, role_name};
use crate::column::cells::{Cell, CellRows};
use crate::column::rbac::{SUBJECT, known, schema_of, subject};
use crate::error::Result;
use crate::rbac::AccessEvent;
use crate::rbac::AccessRequest;
use crate::rbac::BindingKind;
use crate::rbac::Cover;
use crate::rbac::DecidingAuthorizer;
use crate::rbac::HistoryCursor;
use crate::rbac::Identity;
use crate::rbac::RbacAuthorizer;
use crate::rbac::RbacHistory;
use crate::rbac::RbacObjectKey;
use crate::rbac::RecordedDecision;
use crate::rbac::judge;
use crate::request::RequestUri;

/// What RBAC says of a recorded decision that it does not agree with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayDisagreement {
    /// The event's `auditID`.
    pub audit_id: String,
    /// `allow` or `forbid`, as recorded.
    pub recorded: &'static str,
    /// `allow` or `forbid`, as computed.
    pub computed: &'static str,
    /// The binding that allows it; empty if none does.
    pub binding: String,
    /// In words.
    pub why: String,
}

/// How many decisions agreed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplayTotals {
    /// RBAC decided, and says the same.
    pub agreed: u64,
    /// RBAC says otherwise.
    pub disagreed: u64,
    /// Members of `system:masters`, whom nobody asks.
    pub by_masters: u64,
    /// The Node authorizer decided.
    pub by_node: u64,
    /// A webhook, or a cloud's own authorizer, decided.
    pub by_webhook: u64,
    /// Events without a decision.
    pub undecided: u64,
}

impl ReplayTotals {
    /// Decisions of other authorizers.
    pub const fn by_others(&self) -> u64 {
        self.by_masters + self.by_node + self.by_webhook
    }

    /// All decisions that were recorded.
    pub const fn decided(&self) -> u64 {
        self.agreed + self.disagreed + self.by_others()
    }
}

/// Judges recorded decisions by one state of RBAC, or by that of their time.
#[derive(Debug)]
pub struct Replay<'r> {
    state: ReplayState<'r>,
    /// Judgements of one state, by a hash of all that they hang on: 10⁷ events are some thousand of
    /// them, and a collision of two in 64 bits is less likely than a broken disk.
    judged: HashMap<u64, (DecidingAuthorizer, Option<ReplayDisagreement>)>,
    hasher: RandomState,
    /// What was found.
    pub totals: ReplayTotals,
}

#[derive(Debug)]
enum ReplayState<'r> {
    Fixed(&'r RbacAuthorizer),
    /// Events come in the order of time.
    OfTime(&'r RbacHistory, Box<HistoryCursor<'r>>),
}

/// Judgements that are kept: shapes are few, names of objects may be many.
const MOST_JUDGED: usize = 1 << 18;

impl<'r> Replay<'r> {
    /// By one state.
    pub fn new(authorizer: &'r RbacAuthorizer) -> Self {
        Self::of(ReplayState::Fixed(authorizer))
    }

    /// By the state at the time of each event; events have to come in the order of time.
    pub fn over_time(history: &'r RbacHistory) -> Self {
        Self::of(ReplayState::OfTime(history, Box::new(history.cursor())))
    }

    fn of(state: ReplayState<'r>) -> Self {
        Self {
            state,
            judged: HashMap::new(),
            hasher: RandomState::new(),
            totals: ReplayTotals::default(),
        }
    }

    /// Judges an event; what does not agree.
    pub fn judge(&mut self, event: &AccessEvent<'_>) -> Option<ReplayDisagreement> {
        let (Some(user), Some(recorded)) = (event.actor(), event.decision) else {
            self.totals.undecided += 1;
            return None;
        };
        let uri = RequestUri::new(event.request_uri);
        let info = uri.with_verb(event.verb);
        let authorizer = match &mut self.state {
            ReplayState::Fixed(authorizer) => *authorizer,
            ReplayState::OfTime(history, cursor) => {
                let (identity, request) = (user.identity(), AccessRequest::from(&info));
                let state = cursor.at(event.time);
                let (by, mut disagreement) = judged(state, &identity, &request, recorded);
                if let Some(disagreement) = &mut disagreement
                    && let Some(key) = history.uncertainty(state, &identity, &request)
                {
                    let name = object_name(key);
                    disagreement.why +=
                        &format!("; the log does not say what {name} was at that time");
                }
                return self.count((by, disagreement), event);
            }
        };
        let shape = (
            (user.name, user.groups),
            &info,
            (recorded.is_allowed, recorded.reason),
        );
        let key = self.hasher.hash_one(shape);
        let judgement = match self.judged.get(&key) {
            Some(known) => known.clone(),
            None => {
                let request = AccessRequest::from(&info);
                let judgement = judged(authorizer, &user.identity(), &request, recorded);
                if self.judged.len() >= MOST_JUDGED {
                    self.judged.clear();
                }
                self.judged.insert(key, judgement.clone());
                judgement
            }
        };
        self.count(judgement, event)
    }

    fn count(
        &mut self,
        (by, disagreement): (DecidingAuthorizer, Option<ReplayDisagreement>),
        event: &AccessEvent<'_>,
    ) -> Option<ReplayDisagreement> {
        let Some(disagreement) = disagreement else {
            let totals = &mut self.totals;
            *match by {
                DecidingAuthorizer::Rbac => &mut totals.agreed,
                DecidingAuthorizer::Masters => &mut totals.by_masters,
                DecidingAuthorizer::Node => &mut totals.by_node,
                DecidingAuthorizer::Webhook => &mut totals.by_webhook,
            } += 1;
            return None;
        };
        self.totals.disagreed += 1;
        Some(ReplayDisagreement {
            audit_id: event.audit_id.to_owned(),
            ..disagreement
        })
    }
}

fn object_name(key: &RbacObjectKey) -> String {
    match key {
        RbacObjectKey::Role(key) => role_name(key),
        RbacObjectKey::Binding(key) => binding_name(key),
    }
}

fn judged(
    authorizer: &RbacAuthorizer,
    identity: &Identity,
    request: &AccessRequest,
    recorded: RecordedDecision<'_>,
) -> (DecidingAuthorizer, Option<ReplayDisagreement>) {
    let judgement = judge(authorizer, identity, request, recorded);
    let name = |is_allowed| if is_allowed { "allow" } else { "forbid" };
    let bound = judgement
        .computed
        .cover
        .and_then(|cover| authorizer.binding(cover.binding));
    let disagreement = judgement.disagreement.map(|why| ReplayDisagreement {
        audit_id: String::new(),
        recorded: name(recorded.is_allowed),
        computed: name(judgement.computed.is_allowed()),
        binding: bound.map_or_else(String::new, |bound| binding_name(&bound.binding.key)),
        why,
    });
    (judgement.decided_by, disagreement)
}

/// The rows of `rbac replay`.
///
/// # Errors
///
/// Never: the cells have the types of the columns.
pub fn replay_rows(disagreements: &[ReplayDisagreement]) -> Result<RecordBatch> {
    let mut rows = CellRows::new(schema_of(&[&[
        ("audit_id", "string"),
        ("recorded", "string"),
        ("computed", "string"),
        ("binding", "string"),
        ("why", "string"),
    ]]))?;
    for one in disagreements {
        rows.push([
            Cell::from(&one.audit_id),
            one.recorded.into(),
            one.computed.into(),
            known(&one.binding),
            (&one.why).into(),
        ]);
    }
    Ok(rows.finish()?)
}

/// Every grant that allows a request of a user: the first is the one that the apiserver may name.
///
/// # Errors
///
/// Never: the cells have the types of the columns.
pub fn cover_rows(authorizer: &RbacAuthorizer, covers: &[Cover]) -> Result<RecordBatch> {
    let mut rows = CellRows::new(schema_of(&[
        &[("binding", "string"), ("role", "string"), ("rule", "int64")],
        &SUBJECT,
        &[("reason", "string")],
    ]))?;
    for cover in covers {
        let Some(bound) = authorizer.binding(cover.binding) else {
            continue;
        };
        let namespace = &bound.binding.key.namespace;
        let of = bound
            .subject(cover.subject)
            .and_then(|one| one.effective(namespace));
        let mut cells = vec![
            Cell::from(binding_name(&bound.binding.key)),
            format!("{} {}", bound.binding.role_kind, bound.binding.role_name).into(),
            (cover.rule + 1).into(),
        ];
        match &of {
            Some(of) => cells.extend(subject(of).map(owned)),
            None => cells.extend([Cell::Null, Cell::Null, Cell::Null]),
        }
        cells.push(authorizer.reason(*cover).into());
        rows.push(cells);
    }
    Ok(rows.finish()?)
}

fn owned(cell: Cell<'_>) -> Cell<'static> {
    match cell {
        Cell::Text(text) => Cell::from(text.into_owned()),
        _ => Cell::Null,
    }
}

/// Everybody whom a grant allows a request, a row each.
///
/// # Errors
///
/// Never: the cells have the types of the columns.
pub fn who_can_rows(authorizer: &RbacAuthorizer, request: &AccessRequest) -> Result<RecordBatch> {
    let mut rows = CellRows::new(schema_of(&[
        &SUBJECT,
        &[("binding", "string"), ("role", "string"), ("rule", "int64")],
    ]))?;
    for grant in authorizer.grants() {
        let key = &grant.bound.binding.key;
        let is_in_scope = key.kind == BindingKind::ClusterRoleBinding
            || (request.path.is_none() && key.namespace == request.namespace);
        if !is_in_scope || grant.permissions.covering(request).is_empty() {
            continue;
        }
        let of = &grant.bound.binding;
        let mut cells: Vec<Cell<'_>> = subject(&grant.subject).into();
        cells.extend([
            binding_name(key).into(),
            format!("{} {}", of.role_kind, of.role_name).into(),
            (grant.rule_index + 1).into(),
        ]);
        rows.push(cells);
    }
    Ok(rows.finish()?)
}
