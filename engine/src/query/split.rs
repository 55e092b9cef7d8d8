//! SQL text in, statements out: split by the SQL tokenizer, so that quotes, comments and dollar
//! quotes are understood.

use datafusion::sql::sqlparser::{
    dialect::PostgreSqlDialect,
    tokenizer::{Token, Tokenizer, TokenizerError},
};

fn tokens(
    sql: &str,
) -> Result<Vec<datafusion::sql::sqlparser::tokenizer::TokenWithSpan>, TokenizerError> {
    Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize_with_location()
}

/// The statements of `sql`, without their semicolons; empty ones are left out. Text that is no SQL
/// is one statement: the parser says what is wrong with it.
pub fn statements(sql: &str) -> Vec<String> {
    let Ok(tokens) = tokens(sql) else {
        return vec![sql.trim().to_owned()];
    };
    let mut found = Vec::new();
    let mut start = 0;
    let mut empty = true;
    for token in &tokens {
        match &token.token {
            Token::SemiColon => {
                let at = offset(sql, token.span.start.line, token.span.start.column);
                if !empty {
                    found.push(sql[start..at].trim().to_owned());
                }
                (start, empty) = (at + 1, true);
            }
            Token::Whitespace(_) | Token::EOF => {}
            _ => empty = false,
        }
    }
    if !empty {
        found.push(sql[start..].trim().to_owned());
    }
    found
}

/// Does `sql` end with a complete statement, so that a shell can run it? A semicolon inside a quote
/// or comment ends nothing.
pub fn is_complete(sql: &str) -> bool {
    match tokens(sql) {
        Ok(tokens) => tokens
            .iter()
            .rev()
            .find(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF))
            .is_none_or(|token| token.token == Token::SemiColon),
        // An open quote or comment goes on; what else is no token will not become one by more
        // lines.
        Err(error) => !(error.message.starts_with("Unterminated") || error.message.contains("EOF")),
    }
}

/// The byte offset of a tokenizer's position: lines and columns from 1, columns in characters.
fn offset(sql: &str, line: u64, column: u64) -> usize {
    let line_start: usize = sql
        .split_inclusive('\n')
        .take(line.saturating_sub(1) as usize)
        .map(str::len)
        .sum();
    let rest = &sql[line_start..];
    line_start
        + rest
            .char_indices()
            .nth(column.saturating_sub(1) as usize)
            .map_or(rest.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_comments_hide_semicolons() {
        assert_eq!(
            statements("SELECT ';' AS \"a;b\" -- x;\n; /* ; */ ; SELECT é FROM t"),
            ["SELECT ';' AS \"a;b\" -- x;", "SELECT é FROM t"]
        );
        assert!(statements(" -- nothing\n ;;").is_empty());
        assert!(is_complete("SELECT 1;  -- done\n"));
        assert!(!is_complete("SELECT ';"));
        assert!(!is_complete("SELECT 1 /* ;"));
        assert!(!is_complete("SELECT 1"));
    }
}
