//! What the commands answer from: the RBAC objects of the input, and the requests of its logs.

use anyhow::{Result, bail};
use auditql_engine::{
    ScanReport,
    access::{ACCESS_EVENTS, AccessRows, Replay, ReplayTotals},
    rbac::{ObservedRequest, ObservedRequests, ObservedTally, RbacAuthorizer, RbacObjects},
};

use crate::{
    run::{AccountOfRun, Ended, Session, conclude, insist, say, status},
    settings::Settings,
    text::{counted, grouped},
};

/// RBAC objects, and what they decide.
pub(super) struct ObjectFacts {
    pub(super) objects: RbacObjects,
    pub(super) authorizer: RbacAuthorizer,
}

/// Requests of a log.
pub(super) struct LogFacts {
    pub(super) observed: Vec<ObservedRequest>,
    tally: ObservedTally,
    /// How well the objects explain the decisions of the log.
    totals: ReplayTotals,
    /// How the reading ended.
    ended: Result<Ended>,
    pub(super) report: ScanReport,
}

impl ObjectFacts {
    /// The objects of the input.
    ///
    /// # Errors
    ///
    /// When there are none, or they are of two clusters.
    pub(super) fn read(session: &Session<'_>, settings: &Settings) -> Result<Self> {
        let facts = Self::read_any(session)?;
        let objects = &facts.objects;
        if objects.roles.is_empty() && objects.bindings.is_empty() {
            if settings.options.inputs.is_empty() {
                bail!("rbac needs roles and bindings: give them with -i");
            }
            bail!(
                "no roles or bindings in the input\nhint: add -i FILE with what `kubectl get \
                 clusterroles,roles,clusterrolebindings,rolebindings,serviceaccounts -A -o json` \
                 prints, or a folder of manifests"
            );
        }
        if objects.roles.iter().any(|role| role.origin.bundled) {
            say(
                settings,
                "the input has no built-in Kubernetes roles; the defaults of --kubernetes-version \
                 are assumed",
            );
        }
        Ok(facts)
    }

    /// The objects of the input, if there are any.
    ///
    /// # Errors
    ///
    /// When they are of two clusters.
    pub(super) fn read_any(session: &Session<'_>) -> Result<Self> {
        let objects = session.rbac_objects()?.clone();
        Ok(Self {
            authorizer: RbacAuthorizer::new(&objects),
            objects,
        })
    }
}

impl LogFacts {
    /// Reads the logs of the input; the objects judge each decision.
    pub(super) async fn read(session: &Session<'_>, objects: &ObjectFacts) -> Self {
        let mut collected = ObservedRequests::new();
        let mut replay = Replay::new(&objects.authorizer);
        let shown = session
            .read(ACCESS_EVENTS, &mut |batch| {
                AccessRows::new(batch)?.for_each(|event| {
                    collected.add(event);
                    replay.judge(event);
                });
                Ok(())
            })
            .await;
        let totals = replay.totals;
        Self {
            tally: collected.tally(),
            observed: collected.finish(),
            totals,
            ended: shown.ended,
            report: shown.report,
        }
    }

    /// Can the log answer? It was read whole, and records a decision, or the user accepts one that
    /// does not: what was used, and what was refused, is known from decisions alone.
    pub(super) const fn has_answer(&self, settings: &Settings) -> bool {
        self.is_complete() && (self.totals.decided() > 0 || settings.allow_empty)
    }

    /// Was the whole log read?
    pub(super) const fn is_complete(&self) -> bool {
        matches!(self.ended, Ok(Ended::Complete))
    }

    /// The time between the first and the last event, in microseconds.
    pub(super) fn window(&self) -> i64 {
        let window = self.report.total.window;
        window.map_or(0, |(first, last)| last.saturating_sub(first))
    }

    /// Says how well the objects explain the log: what the answer is worth.
    pub(super) fn tell_agreement(&self, settings: &Settings) {
        let totals = self.totals;
        let judged = totals.agreed + totals.disagreed;
        if judged == 0 {
            return say(settings, "the log has no RBAC decisions");
        }
        let mut text = format!(
            "these objects explain {} of the log's {} RBAC decisions",
            grouped(totals.agreed),
            grouped(judged)
        );
        if totals.disagreed > 0 {
            text.push_str("; `auditql rbac replay` shows the others");
        }
        say(settings, &text);
        if self.tally.unanswered_reviews > 0 {
            let reviews = counted(self.tally.unanswered_reviews, "access review");
            say(
                settings,
                &format!(
                    "{reviews} without an answer in the log: what they allowed is not counted"
                ),
            );
        }
    }

    /// Ends the command.
    ///
    /// # Errors
    ///
    /// When the reading failed.
    pub(super) fn conclude(self, settings: &Settings) -> Result<u8> {
        let is_silent = self.is_complete() && !self.has_answer(settings);
        // A log without an event is told by the account.
        if is_silent && self.report.total.events > 0 {
            insist(
                "the log records no authorization decisions, so it cannot say what was used or \
                 refused",
            );
        }
        let report = AccountOfRun::of(self.report);
        let (code, ended) = conclude(self.ended, report, settings)?;
        match ended.exit_code(code) {
            status::OK if is_silent => Ok(status::PARTIAL),
            code => Ok(code),
        }
    }
}
