//! What a reader has read, skipped and rejected so far: for the account of each file.

use std::sync::Arc;

use crate::rbac::read::ManifestReader;
use crate::rbac::read::ObjectReject;

/// How many objects were read so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ObjectCounts {
    /// Roles, bindings, service accounts and workloads, each time that they came.
    pub kept: u64,
    /// Objects of other kinds.
    pub skipped: u64,
}

impl ManifestReader {
    /// How many objects were read so far.
    pub fn counts(&self) -> ObjectCounts {
        let objects = &self.read.objects;
        let kept = objects.roles.len()
            + objects.bindings.len()
            + objects.service_accounts.len()
            + objects.workloads.len();
        ObjectCounts {
            kept: kept as u64 + self.read.replaced,
            skipped: self.read.skipped.values().sum(),
        }
    }

    /// What could not be read so far.
    pub fn rejects(&self) -> &[ObjectReject] {
        &self.read.rejects
    }

    pub(super) fn reject(&mut self, file: &Arc<str>, line: u64, message: String) {
        self.read.rejects.push(ObjectReject {
            file: Arc::clone(file),
            line,
            message,
        });
    }

    pub(super) fn skip(&mut self, kind: &str) {
        let kind = if kind.is_empty() { "(no kind)" } else { kind };
        *self.read.skipped.entry(kind.to_owned()).or_default() += 1;
    }
}
