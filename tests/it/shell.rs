//! The shell, fed by a pipe.

use crate::bin::{data, run_with};

#[test]
fn statements_and_commands() {
    let sample = data("sample");
    let script = b"SELECT count(*) AS n\n  FROM events -- not yet;\n;\n.mode jsonl\nSELECT ';' AS semicolon; SELECT 2 AS two;\n.tables\n.run slow-requests threshold_ms=1000000\n.quit\nSELECT 3 AS after_the_end;\n";
    let ran = run_with(["-q", "-i", sample.to_str().unwrap()], Some(script));
    let text = ran.text(0);
    assert!(
        text.starts_with("n\n885\n{\"semicolon\":\";\"}\n{\"two\":2}\n"),
        "{text}"
    );
    assert!(text.contains("\"name\":\"exec_sessions\""), "{text}");
    assert!(!text.contains("after_the_end"), "{text}");
}

#[test]
fn the_first_error_of_a_script_ends_it() {
    let sample = data("sample");
    let ran = run_with(
        ["-q", "-i", sample.to_str().unwrap()],
        Some(b"SELECT nothing;\nSELECT 1;\n"),
    );
    assert_eq!(ran.code, 2);
    assert!(
        ran.stdout.is_empty() && ran.stderr.contains("nothing"),
        "{}",
        ran.stderr
    );
    let ran = run_with(["-q"], Some(b".nonsense\n"));
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains(".help"), "{}", ran.stderr);
}
