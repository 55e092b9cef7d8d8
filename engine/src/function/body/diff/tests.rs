use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::*;

/// The differences as `path before after`, with `-` for what is absent.
fn told(before: &str, after: &str) -> Vec<String> {
    let changes = changes(before, after).unwrap();
    let changes = changes.into_iter().map(|change| {
        let value = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        format!(
            "{} {} {}",
            change.path,
            value(change.before),
            value(change.after)
        )
    });
    changes.collect()
}

#[test]
fn members_are_compared_by_name() {
    let before = r#"{"a":1,"b":{"c":"x","d":true},"gone":{"e":[1]}}"#;
    let after = r#"{"b":{"d":true,"c":"y"},"a":1,"new":"z"}"#;
    assert_eq!(
        told(before, after),
        ["b.c x y", r#"gone {"e":[1]} -"#, "new - z"]
    );
    assert_eq!(told(before, before), [""; 0]);
}

#[test]
fn keys_that_a_path_would_split_are_quoted() {
    assert_eq!(
        told(
            r#"{"metadata":{"annotations":{"a.b/c":"1","say \"x\"":"2"}}}"#,
            r#"{"metadata":{"annotations":{"":"3"}}}"#
        ),
        [
            r#"metadata.annotations[""] - 3"#,
            r#"metadata.annotations["a.b/c"] 1 -"#,
            r#"metadata.annotations["say \"x\""] 2 -"#,
        ]
    );
    assert_eq!(told(r#"{"a.b":1}"#, r#"{"a.b":2}"#), [r#"["a.b"] 1 2"#]);
}

#[test]
fn named_objects_are_matched_by_name() {
    let before = r#"{"containers":[{"name":"app","image":"a:1"},{"name":"old","image":"o"}]}"#;
    let after = r#"{"containers":[{"name":"in x","image":"s"},{"image":"a:2","name":"app"}]}"#;
    assert_eq!(
        told(before, after),
        [
            "containers[name=app].image a:1 a:2",
            r#"containers[name="in x"] - {"name":"in x","image":"s"}"#,
            r#"containers[name=old] {"name":"old","image":"o"} -"#,
        ]
    );
    // Two mounts of one volume are told apart by their paths.
    assert_eq!(
        told(
            r#"[{"name":"v","mountPath":"/a"},{"name":"v","mountPath":"/b"}]"#,
            r#"[{"name":"v","mountPath":"/b","readOnly":true},{"name":"v","mountPath":"/a"}]"#
        ),
        ["[mountPath=/b].readOnly - true"]
    );
    assert_eq!(
        told(
            r#"[{"port":80},{"port":443}]"#,
            r#"[{"port":443},{"port":80,"a":1}]"#
        ),
        ["[port=80].a - 1"]
    );
}

#[test]
fn objects_without_names_are_matched_where_they_are_equal() {
    assert_eq!(
        told(
            r#"{"rules":[{"verbs":["get"]},{"verbs":["list"]}]}"#,
            r#"{"rules":[{"verbs":["create"]},{"verbs":["get"]},{"verbs":["list","watch"]}]}"#
        ),
        [
            r#"rules[0].verbs ["list"] ["create"]"#,
            r#"rules[2] - {"verbs":["list","watch"]}"#,
        ]
    );
}

#[test]
fn other_lists_are_compared_as_a_whole() {
    assert_eq!(
        told(
            r#"{"args":["a", "b"],"x":[1]}"#,
            r#"{"args":["a"],"x":[ 1 ]}"#
        ),
        [r#"args ["a", "b"] ["a"]"#]
    );
}

#[test]
fn null_is_absent_and_the_last_of_duplicates_counts() {
    assert_eq!(told(r#"{"a":null,"b":1,"b":2}"#, r#"{"b":2}"#), [""; 0]);
    assert_eq!(told(r#"{"a":null}"#, r#"{"a":0}"#), ["a - 0"]);
    assert_eq!(told(r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#), ["a 2 1"]);
    assert_eq!(told(r#"{"\u0061":"\u0062"}"#, r#"{"a":"b"}"#), [""; 0]);
}

#[test]
fn what_is_not_json_has_no_differences() {
    for text in ["", "{", r#"{"a":}"#, "{} {}", "nul"] {
        assert_eq!(changes(text, "{}"), None, "{text}");
        assert_eq!(changes("{}", text), None, "{text}");
    }
}

#[test]
fn the_answer_is_bounded() {
    let object = |value: usize, keys: usize| {
        let members = (0..keys).map(|key| format!("\"k{key}\":{value}"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    };
    let many = changes(&object(1, 5000), &object(2, 5000)).unwrap();
    assert_eq!(many.len(), CHANGES + 1);
    assert_eq!(many.last().unwrap().path, "...");

    let long = "k".repeat(300_000);
    let under = |value| format!("{{\"{long}\":{}}}", object(value, 100));
    let long = changes(&under(1), &under(2)).unwrap();
    assert!(long.iter().map(|change| change.path.len()).sum::<usize>() <= PATH_BYTES + 3);

    let deep = |inside: &str| format!("{}{inside}{}", "[{\"a\":".repeat(5_000), "}]".repeat(5_000));
    assert_eq!(changes(&deep("1"), &deep("2")).unwrap().len(), 1);
    assert_eq!(changes(&deep("1"), &deep("1")).unwrap().len(), 0);
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        (0..3i64).prop_map(Json::from),
        "[a-c]{0,2}".prop_map(Json::from),
        any::<bool>().prop_map(Json::from),
        Just(Json::Null),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::btree_map("(name|key|[a-d]|[.\"x])", inner.clone(), 0..4)
                .prop_map(|map| Json::from(map.into_iter().collect::<Map<_, _>>())),
            proptest::collection::btree_set("[a-e]", 0..4).prop_map(|names| {
                let named = names.into_iter().map(|name| json!({"name": name}));
                Json::from(named.collect::<Vec<_>>())
            }),
        ]
    })
}

/// Without members that are null.
fn without_nulls(value: &Json) -> Json {
    match value {
        Json::Object(map) => map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect::<Map<_, _>>()
            .into(),
        Json::Array(list) => list.iter().map(without_nulls).collect::<Vec<_>>().into(),
        value => value.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Equal values have no differences, and turning them round turns each difference round.
    #[test]
    fn differences_are_those_of_the_values(before in json(), after in json()) {
        let (left, right) = (before.to_string(), after.to_string());
        prop_assert_eq!(changes(&left, &left).unwrap().len(), 0);
        let there = changes(&left, &right).unwrap();
        if without_nulls(&before) == without_nulls(&after) {
            prop_assert_eq!(there.len(), 0);
        }
        let back = changes(&right, &left).unwrap();
        prop_assert_eq!(there.len(), back.len());
        let turned = |changes: &[Change], back: bool| {
            let values = changes.iter().map(|change| {
                let values = (change.before.clone(), change.after.clone());
                if back { (values.1, values.0) } else { values }
            });
            let mut values = values.collect::<Vec<_>>();
            values.sort();
            values
        };
        prop_assert_eq!(turned(&there, false), turned(&back, true));
    }

    /// Nothing that is not JSON is taken for it, and nothing panics.
    #[test]
    fn any_text(left in ".*", right in "[\\[\\]{}\":,a0 ]{0,40}") {
        prop_assert_eq!(changes(&left, &right).is_some(),
            serde_json::from_str::<Json>(&left).is_ok() && serde_json::from_str::<Json>(&right).is_ok());
    }
}
