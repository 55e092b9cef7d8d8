//! Generated audit events as JSON text: ordinary members, and the odd values that a column can hold.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::time::format_micros;

/// Stands in events for what differs from row to row.
pub(super) const MARK: &str = "@@";

/// Text of all kinds; most of it repeats.
fn text() -> impl Strategy<Value = String> {
    let last = select(vec![
        "a",
        "\u{7f}",
        "é",
        "\u{7ff}",
        "\u{d7ff}",
        "\u{ffff}",
        "\u{10ffff}",
    ]);
    prop_oneof![
        8 => "[a-c]{0,2}",
        2 => any::<String>(),
        // About as long as the longest text in statistics, and ending in what has no successor.
        2 => (55_usize..66, last, 1_usize..9)
            .prop_map(|(length, last, times)| "a".repeat(length) + &last.repeat(times)),
        1 => select(vec!["\0", "\n\"\\\u{2028}", "true", "All", "/api?dryRun=All&dryRun=%zz"])
            .prop_map(str::to_owned),
        1 => Just(format!("id-{MARK}")),
    ]
}

/// A JSON string, as any writer may spell it.
fn string() -> impl Strategy<Value = String> {
    prop_oneof![
        20 => text().prop_map(|text| serde_json::to_string(&text).unwrap()),
        1 => select(vec![r#""\ud800""#, r#""\u0061\/""#, r#""\ud83d\ude00é""#]).prop_map(str::to_owned),
        1 => (65_000_usize..70_000).prop_map(|length| format!("\"{}\"", "xyz ".repeat(length / 4))),
    ]
}

/// What stands where something else is expected.
fn odd() -> impl Strategy<Value = String> {
    select(vec![
        "null",
        "7",
        "[]",
        "{}",
        "[1]",
        "true",
        "[null,\"a\"]",
        r#"{"a":{}}"#,
    ])
    .prop_map(str::to_owned)
}

fn string_or_odd() -> impl Strategy<Value = String> {
    prop_oneof![15 => string(), 1 => odd()]
}

fn list() -> impl Strategy<Value = String> {
    let list = |items: Vec<String>| format!("[{}]", items.join(","));
    prop_oneof![
        12 => vec(string(), 0..4).prop_map(list),
        1 => vec(string_or_odd(), 0..4).prop_map(list),
        1 => odd(),
    ]
}

/// An object whose keys may repeat.
fn map(value: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let key = prop_oneof![
        4 => select(vec![
            "\"a\"",
            "\"\\u0061\"",
            "\"authorization.k8s.io/decision\"",
            "\"authorization.k8s.io/reason\"",
            "\"authentication.kubernetes.io/pod-name\"",
        ])
        .prop_map(str::to_owned),
        1 => string(),
    ];
    let map = vec((key, value), 0..5).prop_map(|entries| {
        let entries = entries.iter().map(|(key, value)| format!("{key}:{value}"));
        format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
    });
    prop_oneof![12 => map, 1 => odd()]
}

fn time() -> impl Strategy<Value = String> {
    let micros = prop_oneof![
        0_i64..4_000_000_000_000_000,
        -1_000_000_i64..1_000_000,
        Just(1_790_000_000_000_000)
    ];
    let canonical = micros.prop_map(|micros| {
        let mut out = vec![b'"'];
        format_micros(&mut out, micros);
        out.push(b'"');
        String::from_utf8(out).unwrap()
    });
    let other = select(vec!["\"2026-11-01T01:00:00+01:00\"", "\"today\"", "0"]);
    prop_oneof![12 => canonical, 1 => other.prop_map(str::to_owned)]
}

fn body() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => map(string().boxed()),
        2 => list(),
        1 => Just("{\"a\":\"\\ud800\"}".to_owned()),
        1 => (250_000_usize..270_000).prop_map(|length| format!("[\"{}\"]", "b".repeat(length))),
    ]
}

fn member(
    name: &str,
    value: impl Strategy<Value = String> + 'static,
) -> BoxedStrategy<Option<String>> {
    let name = name.to_owned();
    let member = value.prop_map(move |value| format!("\"{name}\":{value}"));
    prop::option::weighted(0.8, member).boxed()
}

fn object(members: Vec<BoxedStrategy<Option<String>>>) -> BoxedStrategy<String> {
    let object = |members: Vec<Option<String>>| {
        format!(
            "{{{}}}",
            members.into_iter().flatten().collect::<Vec<_>>().join(",")
        )
    };
    prop_oneof![12 => members.prop_map(object), 1 => odd()].boxed()
}

fn user() -> BoxedStrategy<String> {
    object(vec![
        member("username", string_or_odd()),
        member("uid", string()),
        member("groups", list()),
        member("extra", map(list().boxed())),
    ])
}

fn code() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec!["200", "403", "-0", "1e3", "2147483648"]).prop_map(str::to_owned),
        any::<i32>().prop_map(|code| code.to_string()),
    ]
}

/// An event with any members.
pub(super) fn event() -> impl Strategy<Value = String> {
    let names = [
        "resource",
        "namespace",
        "name",
        "uid",
        "apiGroup",
        "resourceVersion",
    ];
    let object_ref = names.map(|name| member(name, string())).into();
    let status = vec![
        member("metadata", Just("{}".to_owned())),
        member("code", code()),
        member("message", string()),
        member("details", body()),
    ];
    let members = vec![
        member(
            "auditID",
            prop_oneof![Just(format!("\"{MARK}\"")), string_or_odd()],
        ),
        member("level", string()),
        member("stage", string()),
        member("verb", string_or_odd()),
        member("verb", Just("\"get\"".to_owned())),
        member("requestURI", string()),
        member("user", user()),
        member("impersonatedUser", user()),
        member("sourceIPs", list()),
        member("userAgent", string()),
        member("objectRef", object(object_ref)),
        member("responseStatus", object(status)),
        member("requestObject", body()),
        member("responseObject", body()),
        member("requestReceivedTimestamp", time()),
        member("stageTimestamp", time()),
        member("annotations", map(string_or_odd().boxed())),
        member("unknown", body()),
    ];
    members.prop_map(whole)
}

/// One that may stand in thousands of rows; its lists are long.
pub(super) fn short_event() -> impl Strategy<Value = String> {
    let short = || text().prop_map(|text| serde_json::to_string(&text).unwrap());
    let ips = (0_usize..40).prop_map(|count| format!("[{}]", vec!["\"::1\""; count].join(",")));
    let user = object(vec![
        member("username", short()),
        member(
            "groups",
            vec(short(), 0..3).prop_map(|all| format!("[{}]", all.join(","))),
        ),
    ]);
    let members = vec![
        member("auditID", Just(format!("\"{MARK}\""))),
        member(
            "requestURI",
            Just(format!("\"/{}{MARK}\"", "long/".repeat(13))),
        ),
        member("verb", short()),
        member("user", user),
        member("sourceIPs", ips),
        member(
            "responseStatus",
            object(vec![member("code", Just(format!("1{MARK}")))]),
        ),
        member("requestObject", Just(format!("{{\"a\":\"{MARK}\"}}"))),
        member("stageTimestamp", time()),
        member(
            "annotations",
            Just(format!("{{\"a\":\"{MARK}\",\"a\":\"\"}}")),
        ),
    ];
    members.prop_map(whole)
}

fn whole(members: Vec<Option<String>>) -> String {
    let typed = "\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\"".to_owned();
    let members = std::iter::once(typed).chain(members.into_iter().flatten());
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}
