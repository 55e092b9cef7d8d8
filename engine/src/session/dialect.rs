//! The SQL that is read: that of Postgres, with `IS [NOT] DISTINCT FROM` as Postgres reads it.
//!
//! sqlparser 0.62 takes everything behind `IS DISTINCT FROM` for its right side, so that
//! `a IS DISTINCT FROM b AND c` means `a IS DISTINCT FROM (b AND c)`: other rows, and no error. Here
//! the right side ends where operators of a lower precedence begin (PostgreSQL documentation, 4.1.6
//! "Operator Precedence").

use std::any::TypeId;

use datafusion::sql::sqlparser::ast::Expr;
use datafusion::sql::sqlparser::dialect::{Dialect, PostgreSqlDialect, Precedence};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};

/// Postgres' dialect, mended.
#[derive(Debug, Default)]
pub(super) struct SqlDialect(PostgreSqlDialect);

/// Methods that are those of Postgres' dialect. All that it has of its own have to be here.
macro_rules! as_postgres {
    ($($name:ident),* $(,)?) => {
        $(fn $name(&self) -> bool {
            self.0.$name()
        })*
    };
}

impl Dialect for SqlDialect {
    /// The parser asks for its kind in places.
    fn dialect(&self) -> TypeId {
        self.0.dialect()
    }

    fn parse_infix(
        &self,
        parser: &mut Parser<'_>,
        left: &Expr,
        _precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        const DISTINCT: [Keyword; 3] = [Keyword::IS, Keyword::DISTINCT, Keyword::FROM];
        const NOT_DISTINCT: [Keyword; 4] =
            [Keyword::IS, Keyword::NOT, Keyword::DISTINCT, Keyword::FROM];
        let make = if parser.parse_keywords(&DISTINCT) {
            Expr::IsDistinctFrom
        } else if parser.parse_keywords(&NOT_DISTINCT) {
            Expr::IsNotDistinctFrom
        } else {
            return None;
        };
        let right = parser.parse_subexpr(self.prec_value(Precedence::Is));
        Some(right.map(|right| make(Box::new(left.clone()), Box::new(right))))
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        self.0.identifier_quote_style(identifier)
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        self.0.is_delimited_identifier_start(ch)
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        self.0.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        self.0.is_identifier_part(ch)
    }

    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        self.0.is_reserved_for_identifier(keyword)
    }

    fn is_custom_operator_part(&self, ch: char) -> bool {
        self.0.is_custom_operator_part(ch)
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        self.0.get_next_precedence(parser)
    }

    fn prec_value(&self, precedence: Precedence) -> u8 {
        self.0.prec_value(precedence)
    }

    as_postgres!(
        supports_unicode_string_literal,
        supports_filter_during_aggregation,
        supports_group_by_expr,
        allow_extract_custom,
        allow_extract_single_quotes,
        supports_create_index_with_clause,
        supports_explain_with_utility_options,
        supports_listen_notify,
        supports_factorial_operator,
        supports_bitwise_shift_operators,
        supports_comment_on,
        supports_load_extension,
        supports_named_fn_args_with_colon_operator,
        supports_named_fn_args_with_expr_name,
        supports_empty_projections,
        supports_nested_comments,
        supports_string_escape_constant,
        supports_numeric_literal_underscores,
        supports_array_typedef_with_brackets,
        supports_geometric_types,
        supports_set_names,
        supports_alter_column_type_using,
        supports_notnull_operator,
        supports_interval_options,
        supports_insert_table_alias,
        supports_create_table_like_parenthesized,
        supports_select_wildcard_with_alias,
        supports_comma_separated_trim,
        supports_xml_expressions,
        supports_comment_optimizer_hint,
    );
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;

    /// How an expression is read, in parentheses.
    fn read(dialect: &dyn Dialect, sql: &str) -> String {
        let expression = Parser::new(dialect).try_with_sql(sql).unwrap().parse_expr();
        format!("{:?}", expression.unwrap())
    }

    #[test]
    fn distinct_from_binds_as_in_postgres() {
        let ours = SqlDialect::default();
        for (sql, same) in [
            ("a IS DISTINCT FROM b AND c", "(a IS DISTINCT FROM b) AND c"),
            (
                "a IS NOT DISTINCT FROM b OR c",
                "(a IS NOT DISTINCT FROM b) OR c",
            ),
            (
                "c AND a IS DISTINCT FROM b OR d",
                "(c AND (a IS DISTINCT FROM b)) OR d",
            ),
            (
                "a IS DISTINCT FROM b + 1 AND c",
                "(a IS DISTINCT FROM (b + 1)) AND c",
            ),
            ("a IS DISTINCT FROM b = c", "a IS DISTINCT FROM (b = c)"),
            (
                "NOT a IS DISTINCT FROM b AND c",
                "(NOT (a IS DISTINCT FROM b)) AND c",
            ),
            (
                "a IS DISTINCT FROM 'x' AND b IS NOT NULL",
                "(a IS DISTINCT FROM 'x') AND (b IS NOT NULL)",
            ),
        ] {
            // Without parentheses, and without where each name stands.
            let bare = |text: &str| -> String {
                let pieces = text.split("span: ").enumerate();
                let pieces = pieces.map(|(index, piece)| match piece.find(" }") {
                    Some(end) if index > 0 => &piece[end..],
                    _ => piece,
                });
                let text: String = pieces.collect();
                text.replace("Nested", "").replace(['(', ')'], "")
            };
            assert_eq!(bare(&read(&ours, sql)), bare(&read(&ours, same)), "{sql}");
        }
    }

    #[test]
    fn everything_else_is_postgres() {
        let (ours, postgres) = (SqlDialect::default(), PostgreSqlDialect {});
        for sql in [
            "a IS NULL AND b IS NOT TRUE",
            "a -> 'b' ->> 'c' = 'd' AND NOT x BETWEEN 1 AND 2",
            "a ? 'b' OR c LIKE 'd%' AND e = ANY(ARRAY[1, 2])",
            "date_trunc('hour', t) AT TIME ZONE 'UTC' - INTERVAL '1 day'",
            "x::text || E'\\n' COLLATE \"C\"",
        ] {
            assert_eq!(read(&ours, sql), read(&postgres, sql), "{sql}");
        }
    }
}
