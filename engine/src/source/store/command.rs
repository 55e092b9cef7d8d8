//! A command line in, what the program prints out. Programs are asked for credentials.
//!
//! Their words are ours or come from the user's own configuration, never from a log.
//!
//! Not responsible for: what the output means (`credentials.rs`).

use std::{
    io::ErrorKind,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::failure::clip;

/// A program that takes longer is waiting for input.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a command prints.
///
/// # Errors
///
/// If the program is not installed, failed or took too long: why, for people.
pub(super) async fn output(words: &[String]) -> Result<Vec<u8>, String> {
    let words = words.to_vec();
    match tokio::task::spawn_blocking(move || run(&words)).await {
        Ok(output) => output,
        Err(_) => Err("the program that prints credentials was stopped".to_owned()),
    }
}

fn run(words: &[String]) -> Result<Vec<u8>, String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("the command line is empty".to_owned());
    };
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => format!("`{program}` is not installed"),
        _ => format!("cannot run `{program}`: {error}"),
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let started = Instant::now();
    while child.try_wait().map_err(failed)?.is_none() {
        if started.elapsed() > PATIENCE {
            // It may have ended in the meantime.
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!(
                "`{program}` did not answer within {} seconds",
                PATIENCE.as_secs()
            ));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{program}` failed: {}", clip(&errors)))
}

/// Splits a command line into words. Quotes and backslashes work as in a shell; nothing else is
/// special.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        match (quote, char) {
            (None, ' ' | '\t') => words.extend(word.take()),
            (None, '"' | '\'') => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (Some(open), close) if open == close => quote = None,
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(chars.next()),
            (_, char) => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_line() {
        assert_eq!(
            words(r#"  /opt/my\ tool --a "b c" 'd "e"' f"g"h "" "#),
            ["/opt/my tool", "--a", "b c", "d \"e\"", "fgh", ""]
        );
        assert!(words(" ").is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn programs_that_fail() {
        let run = |line: &str| run(&words(line));
        assert_eq!(run("printf %s hello"), Ok(b"hello".to_vec()));
        assert_eq!(
            run("no-such-program-anywhere"),
            Err("`no-such-program-anywhere` is not installed".to_owned())
        );
        assert_eq!(
            run("sh -c 'echo why >&2; exit 3'"),
            Err("`sh` failed: why".to_owned())
        );
    }
}
