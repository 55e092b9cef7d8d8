//! What a check found: findings in, the rows that `lake verify` answers with out.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};

use crate::error::Result;

/// How what was checked compares with the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindingStatus {
    /// It is as the evidence says.
    Ok,
    /// It was written without what it could be compared with.
    Unchecked,
    /// Part of it is missing, rightly: its days have expired.
    Expired,
    /// It is missing or cannot be read: nothing speaks for or against it.
    Gone,
    /// It differs from the evidence.
    Differs,
}

impl FindingStatus {
    /// All of them, the best first.
    pub const ALL: [Self; 5] = [
        Self::Ok,
        Self::Unchecked,
        Self::Expired,
        Self::Gone,
        Self::Differs,
    ];

    /// As the column `status` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unchecked => "unchecked",
            Self::Expired => "expired",
            Self::Gone => "gone",
            Self::Differs => "differs",
        }
    }
}

/// What a check of a lake found about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LakeFinding {
    /// The check: `log`, `rows`, `duplicates`, `rejects`, `progress` or `original`.
    pub check: &'static str,
    /// What was checked: a table, a file, a source or an original.
    pub subject: String,
    /// How it compares.
    pub status: FindingStatus,
    /// What was found, in words.
    pub message: String,
}

impl LakeFinding {
    pub(super) fn new(
        check: &'static str,
        subject: impl Into<String>,
        status: FindingStatus,
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

/// How a lake compares with its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The version of `events` that was checked.
    pub version: u64,
    /// Everything that was found, in the order of the checks.
    pub findings: Vec<LakeFinding>,
}

impl Verified {
    /// Does anything differ from the evidence?
    pub fn differs(&self) -> bool {
        self.count(FindingStatus::Differs) > 0
    }

    /// How many findings have this status.
    pub fn count(&self, status: FindingStatus) -> usize {
        let findings = self.findings.iter();
        findings.filter(|finding| finding.status == status).count()
    }

    /// One row for each finding.
    ///
    /// # Errors
    ///
    /// Never: the columns have the types of the schema.
    pub fn rows(&self) -> Result<RecordBatch> {
        let column = |of: fn(&LakeFinding) -> &str| -> ArrayRef {
            let values = self.findings.iter().map(|finding| Some(of(finding)));
            Arc::new(values.collect::<StringArray>())
        };
        let columns = vec![
            column(|finding| finding.check),
            column(|finding| finding.subject.as_str()),
            column(|finding| finding.status.name()),
            column(|finding| finding.message.as_str()),
        ];
        let fields = ["check", "subject", "status", "message"]
            .map(|name| Field::new(name, DataType::Utf8, false));
        let schema = Arc::new(Schema::new(fields.to_vec()));
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_rows() {
        let mut verified = Verified {
            version: 3,
            findings: vec![
                LakeFinding::new("log", "events", FindingStatus::Ok, "fine"),
                LakeFinding::new("rows", "id", FindingStatus::Expired, "old"),
            ],
        };
        assert!(!verified.differs());
        let counts = FindingStatus::ALL.map(|status| verified.count(status));
        assert_eq!(counts, [1, 0, 1, 0, 0]);
        let bad = LakeFinding::new("rows", "other", FindingStatus::Differs, "bad");
        verified.findings.push(bad);
        assert!(verified.differs());
        let batch = verified.rows().unwrap();
        assert_eq!(
            (batch.num_rows(), batch.schema().field(2).name().as_str()),
            (3, "status")
        );
    }
}
