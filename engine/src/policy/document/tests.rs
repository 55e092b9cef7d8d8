//! YAML as go-yaml v2 reads it, and JSON as Go does.

use super::*;

fn plain(value: &DocumentValue) -> String {
    match &value.data {
        DocumentData::Null => "null".to_owned(),
        DocumentData::Bool(value) => value.to_string(),
        DocumentData::Number(number) => number.clone(),
        DocumentData::Text(text) => format!("{text:?}"),
        DocumentData::List(elements) => {
            let elements: Vec<_> = elements.iter().map(plain).collect();
            format!("[{}]", elements.join(","))
        }
        DocumentData::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|member| format!("{}={}", member.name, plain(&member.value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

fn read(text: &str) -> Result<String, String> {
    match read_document(text.as_bytes()) {
        Ok(document) => Ok(plain(&document.root)),
        Err(problem) => Err(format!("{}: {}", problem.line, problem.message)),
    }
}

#[test]
fn scalars_have_the_types_of_yaml_1_1() {
    let cases = [
        ("yes", "true"),
        ("Off", "false"),
        ("tRue", "\"tRue\""),
        ("~", "null"),
        ("0644", "420"),
        ("0o17", "15"),
        ("08", "8"),
        ("0x1F", "31"),
        ("1_000", "1000"),
        ("0b-1", "-1"),
        ("1.5e3", "1500"),
        (".5", "0.5"),
        ("1.", "1"),
        ("1e999", "\"1e999\""),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "18446744073709552000"),
        ("12:30", "\"12:30\""),
        ("2026-11-10", "\"2026-11-10\""),
        ("'1'", "\"1\""),
        ("!!str 1", "\"1\""),
        ("!!bool 'yes'", "true"),
        ("!!float 1", "1"),
        ("!mine 1", "\"1\""),
        ("!!binary YQ==", "\"a\""),
        ("a#b", "\"a#b\""),
        ("a #b", "\"a\""),
        ("-x", "\"-x\""),
        ("?x", "\"?x\""),
        ("'it''s'", "\"it's\""),
        ("\"\\x41\\u00e9\\U0001f600\\e\"", "\"Aé😀\\u{1b}\""),
        ("\"a\\\n   b\"", "\"ab\""),
        ("\"a\n\n b\"", "\"a\\nb\""),
        ("a\n b\n\n c", "\"a b\\nc\""),
        ("|\n a\n  b\n", "\"a\\n b\\n\""),
        (">-\n a\n b\n\n c\n", "\"a b\\nc\""),
        ("|+2\n   a\n\n", "\" a\\n\\n\""),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn collections_may_be_written_in_every_way() {
    let cases = [
        ("a:\n- 1\n-\n- [2, {b: 3}]\n", "{a=[1,null,[2,{b=3}]]}"),
        ("- - a\n  - b\n- c\n", "[[\"a\",\"b\"],\"c\"]"),
        ("x: {a, b: , ? c : d}", "{x={a=null,b=null,c=\"d\"}}"),
        ("[a: b, ]", "[{a=\"b\"}]"),
        ("? a\n: b\n? c\n", "{a=\"b\",c=null}"),
        ("a: &x [1]\nb: *x\n", "{a=[1],b=[1]}"),
        ("1: a\nyes: b\n1.5: c\n", "{1=\"a\",true=\"b\",1.5=\"c\"}"),
        ("a: 1\na: 2\n", "{a=2}"),
        (
            "x: &x {a: 1, b: 2}\nz: {<<: *x, a: 3}\n",
            "{x={a=1,b=2},z={a=3,b=2}}",
        ),
        (
            "x: &x {a: 1}\nz: {a: 3, <<: [*x, {a: 2, b: 4}]}\n",
            "{x={a=1},z={a=1,b=4}}",
        ),
        ("%TAG !e! tag:yaml.org,2002:\n---\n!e!str 1", "\"1\""),
        ("# nothing\n", "null"),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
    }
    let document = read_document(b"a: 1\nb: 2\na: 3\n").unwrap();
    assert_eq!(document.repeated, [(3, "a".to_owned())]);
}

#[test]
fn syntax_errors_have_their_line() {
    let cases = [
        (
            "a: b: c",
            "1: mapping values are not allowed in this context",
        ),
        ("a: [1\nb: 2\n", "2: did not find expected ',' or ']'"),
        ("a:\n  - b\n c: d\n", "3: did not find expected key"),
        ("a: 'b\n", "2: found unexpected end of stream"),
        ("a: b\nc\nd: e\n", "2: could not find expected ':'"),
        ("a: |x\n", "1: did not find expected comment or line break"),
        ("a: !!int x\n", "1: cannot decode !!str `x` as a !!int"),
        ("a: [b?c]\n", "1: did not find expected ',' or ']'"),
        ("a: \u{7}\n", "1: control characters are not allowed"),
        (
            "<<: 1\n",
            "1: map merge requires map or sequence of maps as the value",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), Err(expected.to_owned()), "{text}");
    }
    assert!(read_document(b"a: \xff").is_err());
    let utf16: Vec<u8> = "\u{feff}a: é"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    assert_eq!(plain(&read_document(&utf16).unwrap().root), "{a=\"é\"}");
}

#[test]
fn aliases_and_nesting_are_limited() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..8 {
        let alias = format!("*a{}", level - 1);
        bomb.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            [alias.as_str(); 10].join(",")
        ));
    }
    assert!(read(&bomb).unwrap_err().contains("excessive aliasing"));
    assert!(read(&"[".repeat(100_000)).is_err());
    assert!(read(&"{\"a\":".repeat(100_000)).is_err());
    assert!(read(&"- ".repeat(100_000)).is_err());
    assert!(read(&format!("{}{}", "[".repeat(400), "]".repeat(400))).is_ok());
}

#[test]
fn json_follows_go() {
    let cases = [
        (
            "{\"a\":[1.0,-2e3,true,null,\"\\ud83d\\ude00\\ud800\"]}",
            "{a=[1.0,-2e3,true,null,\"😀�\"]}",
        ),
        (" {\"a\":1,\"a\":2}\n", "{a=1,a=2}"),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
    }
    for text in [
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":\"\t\"}",
        "{\"a\":tru}",
        "{\"a\":1}{",
        "{'a':1}",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
    assert_eq!(
        read_document(b"{\"a\":\"\xff\"}").map(|found| plain(&found.root)),
        Ok("{a=\"\u{fffd}\"}".to_owned())
    );
}
