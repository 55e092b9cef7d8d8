//! What a check found: findings in, the rows that `lake verify` answers with out.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema},
};

use crate::error::Result;

/// How what was checked is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// As the evidence says.
    Ok,
    /// Not all of it is there any more, and rightly so: its days were let go.
    Expired,
    /// It is not there, or cannot be looked at: nothing speaks against it, and nothing for it.
    Gone,
    /// Not as the evidence says.
    Differs,
}

impl Status {
    const ALL: [Self; 4] = [Self::Ok, Self::Expired, Self::Gone, Self::Differs];

    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Expired => "expired",
            Self::Gone => "gone",
            Self::Differs => "differs",
        }
    }
}

/// What a check found about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) subject: String,
    pub(super) status: Status,
    pub(super) message: String,
}

impl Finding {
    pub(super) fn new(
        check: &'static str,
        subject: impl Into<String>,
        status: Status,
        message: impl Into<String>,
    ) -> Self {
        Self {
            check,
            subject: subject.into(),
            status,
            message: message.into(),
        }
    }
}

/// Everything that was found, in the order of the checks.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.0.extend(findings);
    }

    pub(super) fn differs(&self) -> bool {
        self.0
            .iter()
            .any(|finding| finding.status == Status::Differs)
    }

    /// How many there are of each status.
    pub(super) fn counts(&self) -> String {
        let count = |status: Status| {
            self.0
                .iter()
                .filter(|finding| finding.status == status)
                .count()
        };
        let counts = Status::ALL.map(|status| (count(status), status.name()));
        let told = counts
            .iter()
            .filter(|(count, name)| *count > 0 || matches!(*name, "ok" | "differs"));
        told.map(|(count, name)| format!("{count} {name}"))
            .collect::<Vec<_>>()
            .join(", ")
    }

    pub(super) fn batch(&self) -> Result<RecordBatch> {
        let column = |of: fn(&Finding) -> &str| -> ArrayRef {
            Arc::new(
                self.0
                    .iter()
                    .map(|finding| Some(of(finding)))
                    .collect::<StringArray>(),
            )
        };
        let columns = vec![
            column(|finding| finding.check),
            column(|finding| finding.subject.as_str()),
            column(|finding| finding.status.name()),
            column(|finding| finding.message.as_str()),
        ];
        let fields = ["check", "subject", "status", "message"]
            .map(|name| Field::new(name, DataType::Utf8, false));
        Ok(RecordBatch::try_new(
            Arc::new(Schema::new(fields.to_vec())),
            columns,
        )?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_rows() {
        let mut findings = Findings::default();
        findings.add([
            Finding::new("log", "events", Status::Ok, "fine"),
            Finding::new("rows", "id", Status::Expired, "old"),
        ]);
        assert!(!findings.differs());
        assert_eq!(findings.counts(), "1 ok, 1 expired, 0 differs");
        findings.add([Finding::new("rows", "other", Status::Differs, "bad")]);
        assert!(findings.differs());
        let batch = findings.batch().unwrap();
        assert_eq!(
            (batch.num_rows(), batch.schema().field(2).name().as_str()),
            (3, "status")
        );
    }
}
