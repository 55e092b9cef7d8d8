//! The verdict depends on the bytes and the limit alone: logs in, the same verdicts for every split
//! into ranges and every chunk size out.
//!
//! Not responsible for: which verdict is right; the tests of formats and of hostile input say that.

use proptest::prelude::*;

use super::*;

const EVENT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"ID","stage":"ResponseComplete","verb":"get","requestObject":{"a":["x","{\"}"]}}"#;

/// The longest record of these tests.
const LIMIT: usize = 1500;

/// Envelopes, some of which could be taken for another, or for an event.
const WRAPPERS: [&str; 9] = [
    r#"{"log":STRING,"stream":"stdout","time":"t"}"#,
    r#"{"message":STRING,"kubernetes":{"audit":EVENT}}"#,
    r#"{"message":EVENT}"#,
    r#"{MEMBERS,"message":STRING}"#,
    r#"{MEMBERS,"log_type":"audit"}"#,
    r#"{MEMBERS,"user":"{}"}"#,
    r#"{"auditID":"a","stage":"Panic","verb":"GET","message":EVENT}"#,
    r#"{"auditID":"a","stage":"Panic","verb":"GET","requestURI":"/"}"#,
    r#"{"messageType":"DATA_MESSAGE","logGroup":"g","logEvents":[{"message":STRING},{"message":STRING}],"message":STRING}"#,
];

/// An event whose id is so long.
fn event_of(length: usize) -> Vec<u8> {
    EVENT
        .replace("\"ID\"", &format!("\"{}\"", "i".repeat(length)))
        .into_bytes()
}

/// The value with a byte that no UTF-8 has in place of its first letter `a`.
fn spoilt(value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    if let Some(letter) = value.iter_mut().find(|byte| **byte == b'a') {
        *letter = 0xff;
    }
    value
}

fn list_of(events: &[Vec<u8>], separator: &str) -> Vec<u8> {
    let mut list = b"[".to_vec();
    list.extend(events.join(separator.as_bytes()));
    list.push(b']');
    list
}

fn event_list(events: &[Vec<u8>], separator: &str) -> Vec<u8> {
    let mut list = br#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":"#.to_vec();
    list.extend(list_of(events, separator));
    list.extend(br#","metadata":{}}"#);
    list
}

/// An envelope of many events, which may be longer than a record.
fn document(events: &[Vec<u8>], separator: &str) -> Vec<u8> {
    let wrapped = |event: &Vec<u8>| [&br#"{"message":"#[..], event, &b"}"[..]].concat();
    let mut text =
        br#"{"messageType":"DATA_MESSAGE","logGroup":"g","logStream":"s","logEvents":"#.to_vec();
    text.extend(list_of(
        &events.iter().map(wrapped).collect::<Vec<_>>(),
        separator,
    ));
    text.push(b'}');
    text
}

/// A value as it may stand beside others on a line: short, long, cut or not UTF-8.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let event = (1usize..9).prop_map(event_of);
    prop_oneof![
        4 => event,
        2 => (1usize..2500).prop_map(event_of),
        1 => (1usize..2500).prop_map(|length| spoilt(&event_of(length))),
        1 => (1usize..2500, any::<proptest::sample::Index>()).prop_map(|(length, cut)| {
            let event = event_of(length);
            event[..cut.index(event.len())].to_vec()
        }),
        1 => "[ -~]{0,40}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
        1 => Just(br#"{"other":[{}]}"#.to_vec()),
        1 => (1usize..2500, proptest::sample::select(&WRAPPERS[..])).prop_map(|(length, wrapper)| {
            let event = String::from_utf8_lossy(&event_of(length)).into_owned();
            let members = &event[1..event.len() - 1];
            let string = serde_json::Value::from(event.clone()).to_string();
            let text = wrapper.replace("EVENT", &event).replace("STRING", &string);
            text.replace("MEMBERS", members).into_bytes()
        }),
    ]
}

/// What stands between several values.
const SEPARATORS: [&str; 7] = ["", " ", ",", ",\n", ",\n ", "\n", "\n  "];

/// Several values, as one is written behind the other, in a list, an `EventList` or a document.
fn values() -> impl Strategy<Value = Vec<u8>> {
    (
        proptest::collection::vec(value(), 1..9),
        proptest::sample::select(&SEPARATORS[..]),
        0..5,
        any::<bool>(),
    )
        .prop_map(|(values, separator, how, spoil)| {
            let made = match how {
                0 | 1 => values.join(separator.as_bytes()),
                2 => list_of(&values, separator),
                3 => event_list(&values, separator),
                _ => document(&values, separator),
            };
            if spoil { spoilt(&made) } else { made }
        })
}

/// A part of a log: whole, odd or broken.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let texts = prop_oneof![
        4 => "[a-z]{0,9}".prop_map(|id| EVENT.replace("\"ID\"", &format!("{id:?}")) + "\n"),
        1 => Just(EVENT.replace(',', ",\n  ") + "\n"),
        1 => Just(EVENT.to_owned() + EVENT + "\n"),
        1 => Just(EVENT.to_owned() + "\r\n\n"),
        1 => (0..EVENT.len()).prop_map(|cut| EVENT[..cut].to_owned() + "\n"),
        1 => (1..EVENT.len()).prop_map(|cut| EVENT[cut..].to_owned() + "\n"),
        1 => "[ -~]{0,40}\n".prop_map(|text| text),
        1 => Just(format!("[{EVENT},{EVENT}]\n")),
        1 => Just(format!("[\n{EVENT},\n{EVENT}\n]\n")),
        1 => Just(format!("{{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"items\":[{EVENT},{EVENT}]}}\n")),
        1 => Just(format!("{{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\n\"items\":[\n {EVENT},\n {EVENT}\n]}}\n")),
        1 => Just(format!("{{\"a\":\n{EVENT}\n}}\n")),
        1 => Just("{\"other\":[{}]}\n".to_owned()),
        1 => (200usize..4000).prop_map(|length| String::from_utf8_lossy(&event_of(length)).into_owned() + "\n"),
    ];
    prop_oneof![
        3 => texts.prop_map(String::into_bytes),
        1 => values().prop_map(|mut line| { line.push(b'\n'); line }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(600)))]
    #[test]
    fn the_verdict_does_not_depend_on_the_split(
        list in prop_oneof![4 => Just(""), 1 => Just("["), 1 => Just("[\n")],
        parts in proptest::collection::vec(part(), 0..14),
        ended in any::<bool>(),
        splits in proptest::collection::vec(0u64..6000, 0..6),
        target in 1usize..3000,
    ) {
        let mut log = [list.as_bytes(), &parts.concat()].concat();
        if !ended && log.last() == Some(&b'\n') {
            log.pop();
        }
        // The first line decides the layout, as in a real file.
        let want = verdicts(&log, &[], 1 << 20, LIMIT);
        for (splits, target) in [(&splits[..], target), (&[][..], target), (&splits[..], 1 << 20)] {
            let got = verdicts(&log, splits, target, LIMIT);
            prop_assert_eq!(&got.0, &want.0, "splits {:?} target {}\n{}", splits, target, String::from_utf8_lossy(&log));
            prop_assert_eq!((got.1.events, &got.1.rejects, &got.1.skipped), (want.1.events, &want.1.rejects, &want.1.skipped));
        }
    }

    #[test]
    fn no_bytes_panic(log in proptest::collection::vec(any::<u8>(), 0..400), splits in proptest::collection::vec(0u64..400, 0..4)) {
        verdicts(&log, &splits, 50, 200);
    }
}

/// Reads the log in chunks of every size and split at every byte: the same verdicts each time.
fn assert_same_everywhere(log: &[u8], limit: usize) -> (Vec<RecordVerdict>, Tally) {
    let want = verdicts(log, &[], 1 << 20, limit);
    for target in 1..log.len() + 2 {
        let got = verdicts(log, &[], target, limit);
        assert_eq!(got.0, want.0, "target {target}");
        assert_eq!(got.1.skipped, want.1.skipped, "target {target}");
    }
    for at in 1..log.len() as u64 {
        let got = verdicts(log, &[at, at + 1, at + 7], 64, limit);
        assert_eq!(got.0, want.0, "split at {at}");
        assert_eq!(got.1.skipped, want.1.skipped, "split at {at}");
    }
    want
}

#[test]
fn several_values_on_a_long_line_that_is_not_utf_8() {
    let (short, long) = (event_of(2), event_of(700));
    for line in [
        [&short[..], &spoilt(&long), &short].concat(),
        [&short[..], &spoilt(&short), &long, &short].concat(),
        [&short[..], &spoilt(&long)[..800], &short].concat(),
        [&spoilt(&short)[..], &short, &short, &short, &short, &short].concat(),
    ] {
        let log = [&short[..], b"\n", &line, b"\n", &short, b"\n"].concat();
        let (verdicts, _) = assert_same_everywhere(&log, 600);
        assert_eq!(verdicts.last().map(|verdict| verdict.what), Some("event"));
    }
}

#[test]
fn a_list_that_is_longer_than_a_record_ends_before_the_next_record() {
    let events = vec![event_of(2); 9];
    for list in [list_of(&events, ","), event_list(&events, ",")] {
        let (begun, rest) = list.split_at(list.len() / 2 + 20);
        let log = [
            begun,
            b"\n",
            &event_of(2),
            b",\n",
            &event_of(3),
            rest,
            b"\n",
            &event_of(2),
        ];
        assert_same_everywhere(&log.concat(), 600);
    }
}

#[test]
fn records_behind_a_document() {
    let events = vec![event_of(2); 9];
    let log = [
        &document(&events, ",")[..],
        b"\n",
        &event_of(700),
        b"\n",
        &spoilt(&document(&events, ", ")),
        &event_of(700),
        &event_of(2),
        b"\n",
        &event_of(2),
    ];
    let (verdicts, _) = assert_same_everywhere(&log.concat(), 600);
    assert!(
        verdicts
            .iter()
            .filter(|verdict| verdict.what == "event")
            .count()
            > 9
    );
}

#[test]
fn what_is_no_element_of_a_list_is_cut_nowhere() {
    let log = format!(
        "[{{\"y\":2}},C\"a\":\"b\" {{\"x\":1}},\"y\"z,7,{EVENT},\"a,b\",\n{EVENT}x]\n{EVENT}"
    );
    let want = verdicts(log.as_bytes(), &[], 1 << 20, 1 << 20);
    assert_eq!(want.1.events, 3);
    for target in 1..log.len() {
        assert_eq!(
            verdicts(log.as_bytes(), &[], target, 1 << 20).0,
            want.0,
            "target {target}"
        );
    }
}

#[test]
fn an_indented_value_after_text_is_cut_nowhere() {
    let value = format!(
        "  {{\n{}    \"x\": 1\n",
        "    \"name\": {\n      \"a\": 1\n    },\n".repeat(30)
    );
    let log = format!("x{EVENT}\n{value}text\n{value}{EVENT}\n");
    let want = verdicts(log.as_bytes(), &[], 1 << 20, 600);
    for target in [1, 16, 100, 300, 700, 1500] {
        assert_eq!(
            verdicts(log.as_bytes(), &[], target, 600).0,
            want.0,
            "target {target}"
        );
    }
}

#[test]
fn a_record_across_a_boundary_at_every_offset() {
    let log = [
        EVENT,
        "\nnot json\n",
        &EVENT.replace(",", ",\n "),
        "\n",
        EVENT,
        EVENT,
        "\n",
        &EVENT[..40],
        "\n",
        EVENT,
        "\n",
    ]
    .concat();
    let want = verdicts(log.as_bytes(), &[], 1 << 20, 1 << 20);
    assert_eq!((want.1.events, want.1.read()), (5, 7));
    for at in 1..log.len() as u64 {
        assert_eq!(
            verdicts(log.as_bytes(), &[at], 64, 1 << 20).0,
            want.0,
            "split at {at}"
        );
        assert_eq!(
            verdicts(log.as_bytes(), &[at, at + 1, at + 7], 1 << 20, 1 << 20).0,
            want.0,
            "split at {at}"
        );
    }
}
