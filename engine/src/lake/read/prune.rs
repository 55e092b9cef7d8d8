//! Which files of a snapshot can hold rows that a query asks for: filters in, files out, nothing
//! opened.
//!
//! A filter on the partition column alone is decided for each file, exactly. Of every other filter,
//! what it says of the partition column and of the time column is compared with the bounds of the
//! file.

use std::{collections::HashSet, sync::Arc};

use datafusion::{
    arrow::{
        array::{
            ArrayRef, BooleanArray, Date32Array, RecordBatch, TimestampMicrosecondArray,
            UInt64Array,
        },
        datatypes::{DataType, Field, Schema},
    },
    catalog::Session,
    common::{Column, DFSchema, ScalarValue, cast::as_boolean_array, tree_node::TreeNode},
    datasource::listing::helpers::expr_applicable_for_cols,
    error::Result,
    logical_expr::{Expr, utils::conjunction},
    physical_optimizer::pruning::{PruningPredicateBuilder, PruningStatistics},
};

use crate::lake::read::{DataFile, LakeTable};

impl LakeTable {
    /// Does the value of the partition column alone decide this filter, now and for good?
    pub(super) fn is_of_partition(&self, filter: &Expr) -> bool {
        let Some(name) = self.partition_name() else {
            return false;
        };
        // What has no value before the query runs.
        let is_open = |part: &Expr| {
            matches!(
                part,
                Expr::Exists(_)
                    | Expr::InSubquery(_)
                    | Expr::ScalarSubquery(_)
                    | Expr::SetComparison(_)
                    | Expr::OuterReferenceColumn(_, _)
                    | Expr::ScalarVariable(_, _)
            )
        };
        expr_applicable_for_cols(&[name], filter)
            && !filter.exists(|part| Ok(is_open(part))).unwrap_or(true)
    }

    /// The files in which all filters may be true of a row.
    pub(super) fn candidates(
        &self,
        state: &dyn Session,
        filters: &[Expr],
    ) -> Result<Vec<&DataFile>> {
        let (of_partition, others): (Vec<Expr>, Vec<Expr>) = filters
            .iter()
            .cloned()
            .partition(|filter| self.is_of_partition(filter));
        let mut files: Vec<&DataFile> = self.files.iter().collect();
        if let Some(filter) = conjunction(of_partition) {
            let hits = self.is_true_of(state, filter, &files)?;
            files = chosen(&files, &hits);
        }
        let names = [self.partition_name(), self.time_name()];
        for filter in others {
            if files.is_empty()
                || !filter
                    .column_refs()
                    .iter()
                    .any(|column| names.contains(&Some(column.name.as_str())))
            {
                continue;
            }
            // A filter that bounds say nothing of is left to the scan.
            if let Ok(hits) = self.may_be_true_in(state, filter, &files) {
                files = chosen(&files, &hits);
            }
        }
        Ok(files)
    }

    /// The value of a filter on the partition column, for each file.
    fn is_true_of(
        &self,
        state: &dyn Session,
        filter: Expr,
        files: &[&DataFile],
    ) -> Result<Vec<bool>> {
        let field = Field::new(
            self.partition_name().unwrap_or_default(),
            DataType::Date32,
            true,
        );
        let schema = Arc::new(Schema::new(vec![field]));
        let dates: Date32Array = files.iter().map(|file| file.date).collect();
        let filter =
            state.create_physical_expr(filter, &DFSchema::try_from(Arc::clone(&schema))?)?;
        let values = filter
            .evaluate(&RecordBatch::try_new(schema, vec![Arc::new(dates)])?)?
            .into_array(files.len())?;
        Ok(as_boolean_array(&values)?
            .iter()
            .map(|value| value == Some(true))
            .collect())
    }

    /// For each file, can the filter be true of a row within its bounds?
    fn may_be_true_in(
        &self,
        state: &dyn Session,
        filter: Expr,
        files: &[&DataFile],
    ) -> Result<Vec<bool>> {
        let filter =
            state.create_physical_expr(filter, &DFSchema::try_from(Arc::clone(&self.schema))?)?;
        PruningPredicateBuilder::new()
            .with_file_schema(Arc::clone(&self.schema))
            .with_max_in_list_size(state.config_options().execution.parquet.max_in_list_size)
            .try_build(filter)?
            .prune(&FileBounds { table: self, files })
    }
}

fn chosen<'t>(files: &[&'t DataFile], hits: &[bool]) -> Vec<&'t DataFile> {
    files
        .iter()
        .zip(hits)
        .filter(|(_, hit)| **hit)
        .map(|(file, _)| *file)
        .collect()
}

/// What DataFusion compares a filter with: an element for each file.
struct FileBounds<'t> {
    table: &'t LakeTable,
    files: &'t [&'t DataFile],
}

impl FileBounds<'_> {
    fn is_partition(&self, column: &Column) -> bool {
        self.table.partition_name() == Some(column.name())
    }

    fn is_time(&self, column: &Column) -> bool {
        self.table.time_name() == Some(column.name())
    }

    fn side(&self, column: &Column, side: fn((i64, i64)) -> i64) -> Option<ArrayRef> {
        if self.is_partition(column) {
            let dates: Date32Array = self.files.iter().map(|file| file.date).collect();
            return Some(Arc::new(dates));
        }
        if self.is_time(column) {
            let times: TimestampMicrosecondArray = self
                .files
                .iter()
                .map(|file| file.bounds().map(side))
                .collect();
            return Some(Arc::new(times.with_timezone_opt(self.table.zone.clone())));
        }
        None
    }
}

impl PruningStatistics for FileBounds<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.side(column, |(least, _)| least)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.side(column, |(_, greatest)| greatest)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        if !(self.is_partition(column) || self.is_time(column) && self.table.partition.is_some()) {
            return None;
        }
        let nulls: UInt64Array = self.files.iter().map(|file| file.nulls()).collect();
        Some(Arc::new(nulls))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let rows: UInt64Array = self.files.iter().map(|file| file.rows).collect();
        Some(Arc::new(rows))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
