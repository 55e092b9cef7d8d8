//! The schema of tables and views that statements name: a view is planned when it is named first, so
//! that a question about `events` does not wait for all of them.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::Result;
use datafusion::execution::SessionState;
use datafusion::prelude::SessionContext;
use parking_lot::RwLock;

use crate::schema;
use crate::session;

/// The schema.
#[derive(Debug)]
pub(super) struct ViewSchema {
    /// Tables, and the views that were planned.
    known: MemorySchemaProvider,
    /// The session holds the schema: not the other way round.
    session: Weak<RwLock<SessionState>>,
}

/// Makes it the schema in which a session looks for tables.
///
/// # Errors
///
/// Never: the catalogue of a session takes new schemas.
pub(super) fn register(context: &SessionContext) -> Result<()> {
    let config = context.copied_config();
    let options = &config.options().catalog;
    let schema = ViewSchema {
        known: MemorySchemaProvider::new(),
        session: context.state_weak_ref(),
    };
    if let Some(catalog) = context.catalog(&options.default_catalog) {
        catalog.register_schema(&options.default_schema, Arc::new(schema))?;
    }
    Ok(())
}

/// The SQL of a view.
fn sql_of(name: &str) -> Option<&'static str> {
    let view = schema::views().iter().find(|view| view.name == name)?;
    view.sql.as_deref()
}

#[async_trait]
impl SchemaProvider for ViewSchema {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.known.table_names();
        let views = schema::views().iter().filter(|view| view.sql.is_some());
        names.extend(views.map(|view| view.name.clone()));
        names.sort();
        names.dedup();
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if let Some(table) = self.known.table(name).await? {
            return Ok(Some(table));
        }
        let (Some(sql), Some(state)) = (sql_of(name), self.session.upgrade()) else {
            return Ok(None);
        };
        let context = SessionContext::new_with_state(state.read().clone());
        let plan = session::plan(&context, sql).await?;
        let view = context.execute_logical_plan(plan).await?.into_view();
        // Two statements may plan it at the same time; either plan will do.
        let _ = self
            .known
            .register_table(name.to_owned(), Arc::clone(&view));
        Ok(Some(view))
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        match self.known.table(name).await? {
            Some(table) => Ok(Some(table.table_type())),
            None => Ok(sql_of(name).map(|_| TableType::View)),
        }
    }

    fn register_table(
        &self,
        name: String,
        table: Arc<dyn TableProvider>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        self.known.register_table(name, table)
    }

    fn deregister_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        self.known.deregister_table(name)
    }

    fn table_exist(&self, name: &str) -> bool {
        self.known.table_exist(name) || sql_of(name).is_some()
    }
}
