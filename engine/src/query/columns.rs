//! The columns of a saved query: its SQL in, the names of what it selects out, found by the parser
//! and without any table.

use datafusion::sql::sqlparser::ast::{Expr, SelectItem, SetExpr, Statement};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

/// The names of the columns that a statement selects, in order; `None` if it is not one `SELECT`
/// that names all of its columns.
pub(crate) fn selected_columns(sql: &str) -> Option<Vec<String>> {
    let mut statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).ok()?;
    let Some(Statement::Query(query)) = statements.pop() else {
        return None;
    };
    let mut body = query.body.as_ref();
    let select = loop {
        match body {
            SetExpr::Select(select) => break select,
            // The first part of a union names the columns.
            SetExpr::SetOperation { left, .. } => body = left,
            SetExpr::Query(query) => body = &query.body,
            _ => return None,
        }
    };
    select.projection.iter().map(name).collect()
}

fn name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.value.clone()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(names)) => {
            Some(names.last()?.value.clone())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_by_name() {
        let sql =
            "WITH a AS (SELECT x FROM t) SELECT a.x, y, count(*) AS n FROM a WHERE $p ORDER BY y";
        assert_eq!(selected_columns(sql).unwrap(), ["x", "y", "n"]);
        let union = "SELECT x FROM t UNION ALL SELECT y FROM t";
        assert_eq!(selected_columns(union).unwrap(), ["x"]);
        for unknown in [
            "SELECT * FROM t",
            "SELECT count(*) FROM t",
            "SELECT",
            "SET a = b",
        ] {
            assert!(selected_columns(unknown).is_none(), "{unknown}");
        }
    }
}
