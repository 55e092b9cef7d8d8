//! `COPY … TO 'FILE'`: a plan in, a plan out that writes the file beside its place under a hidden
//! name, and what gives it its name at the end.
//!
//! So a file that a statement writes is whole or absent, and never an input, as any other output.

use std::path::Path;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{LogicalPlan, Statement};

use super::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::file::atomic::AtomicFile;
use crate::source::object::local_path;

impl Engine {
    /// Lets each `COPY` of a plan write to a hidden file.
    ///
    /// # Errors
    ///
    /// When an output is an input or cannot be written, or a `COPY` is prepared: it would be run
    /// unseen.
    pub(super) fn redirect_copies(
        &self,
        plan: LogicalPlan,
    ) -> Result<(LogicalPlan, Vec<AtomicFile>)> {
        let is_prepared = matches!(plan, LogicalPlan::Statement(Statement::Prepare(_)));
        let mut files = Vec::new();
        let plan = plan.transform_down(|node| {
            let LogicalPlan::Copy(mut copy) = node else {
                return Ok(Transformed::no(node));
            };
            if is_prepared {
                let message = "COPY cannot be prepared; run it as a statement of its own";
                return Err(Error::from(ErrorKind::Sql(message.to_owned())).into());
            }
            if let Some(file) = self.copy_target(&copy.output_url)? {
                if let Some(hidden) = file.hidden_path() {
                    copy.output_url = hidden.display().to_string();
                }
                files.push(file);
            }
            Ok(Transformed::yes(LogicalPlan::Copy(copy)))
        })?;
        Ok((plan.data, files))
    }

    /// The file that a `COPY` writes; `None` for a folder of files, which get new names, and for
    /// what is not local.
    fn copy_target(&self, url: &str) -> Result<Option<AtomicFile>> {
        let url = local_path(url)?;
        if url.contains("://") {
            return Ok(None);
        }
        let path = Path::new(url);
        self.guard.check(path)?;
        // By these DataFusion tells a file from a folder.
        if url.ends_with('/') || path.is_dir() || path.extension().is_none() {
            return Ok(None);
        }
        let file = AtomicFile::create(path).map_err(|source| ErrorKind::Output {
            path: url.to_owned(),
            source,
        })?;
        Ok(Some(file))
    }
}
