//! Any bytes, bare or inside any provider's envelope: no panic, every record counted, and the same
//! verdict for every split and chunk size.
#![no_main]

use std::sync::Once;

use auditql_engine::{formats, stages};
use libfuzzer_sys::fuzz_target;

/// Where a wrapper puts the bytes as they are.
const RAW: &str = "<raw>";
/// Where it puts them as a JSON string.
const STRING: &str = "<string>";

/// A record of every format, with room for what the fuzzer makes up.
const WRAPPERS: &[(&str, &str)] = &[
    ("kube-apiserver", r#"<raw>"#),
    ("kube-apiserver", r#"{"auditID":"a","stage":"Panic","verb":"get",<raw>}"#),
    ("eventlist", r#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[<raw>]}"#),
    ("viaq", r#"{"auditID":"a","stage":"Panic","verb":"get","k8s_audit_level":"Metadata","message":<string>,"openshift":{<raw>}}"#),
    ("rancher", r#"{"auditID":"a","method":"GET","requestURI":<string>,"responseCode":200,"user":{<raw>}}"#),
    ("sls", r#"{"auditID":"a","stage":"Panic","verb":"get","__topic__":"audit","user":<string>,"objectRef":<string>}"#),
    ("gke", r#"{"logName":<string>,"protoPayload":{"methodName":"io.k8s.core.v1.pods.list","resourceName":<string>,"request":<raw>}}"#),
    ("gke-bigquery", r#"{"protopayload_auditlog":{"methodName":"io.k8s.core.v1.pods.list","resourceName":<string>,"requestJson":<string>}}"#),
    ("pubsub", r#"{"message":{"data":<string>,"messageId":"1"},"subscription":"s"}"#),
    ("pubsub", r#"{"receivedMessages":[{"ackId":"1","message":{"data":<string>}},<raw>]}"#),
    ("cloudwatch", r#"{"messageType":"DATA_MESSAGE","logGroup":"g","logStream":"kube-apiserver-audit-0","logEvents":[{"message":<string>},<raw>]}"#),
    ("cloudwatch", r#"{"awslogs":{"data":<string>}}"#),
    ("cloudwatch-events", r#"{"events":[{"message":<string>},<raw>],"searchedLogStreams":[]}"#),
    ("cloudwatch-insights", r#"{"results":[[{"field":"@message","value":<string>},<raw>]],"status":"Complete"}"#),
    ("aks", r#"{"records":[{"category":"kube-audit","resourceId":<string>,"properties":{"log":<string>}},<raw>]}"#),
    ("aks", r#"{"category":"kube-audit-admin","properties":{"log":<raw>}}"#),
    ("aks-diagnostics", r#"{"Category":"kube-audit","log_s":<string>}"#),
    ("aks-audit", r#"{"AuditId":"a","Stage":"Panic","Verb":"get","RequestUri":<string>,"User":<raw>,"ResponseStatus":<string>}"#),
    ("yandex", r#"{"event_type":<string>,"details":{"nativeApiServerEvent":<raw>}}"#),
    ("ocsf", r#"{"class_uid":6003,"raw_data":<string>,"unmapped":<raw>}"#),
    ("ocsf", r#"{"class_uid":6003,"metadata":{"product":{"version":"audit.k8s.io/v1"}},"message":"Panic","api":{"operation":<string>,"response":<raw>},"unmapped":{"annotations.a":<string>}}"#),
    ("otlp", r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":<string>}},{"body":{"kvlistValue":{"values":[<raw>]}}}]}]}]}"#),
    ("loki", r#"{"status":"success","data":{"resultType":"streams","result":[{"stream":{},"values":[["1",<string>],<raw>]}]}}"#),
    ("ecs", r#"{"@timestamp":<string>,"kubernetes":{"audit":<raw>}}"#),
    ("ovh", r#"{"_appID":"a","short_message":<string>}"#),
    ("splunk-hec", r#"{"time":1,"host":<string>,"event":<raw>}"#),
    ("columns-rows", r#"{"tables":[{"columns":[{"name":"a"},{"name":"log_s"}],"rows":[[1,<string>],[2,<raw>]]}]}"#),
    ("respelled", r#"{"AuditID":"a","Stage":"Panic","Verb":"get","RequestURI":<string>,"User":{<raw>}}"#),
    ("docker", "{\"log\":<string>,\"stream\":\"stdout\",\"time\":\"t\"}\n{\"log\":\"\\n\",\"stream\":\"stdout\",\"time\":\"t\"}"),
    ("shipper", r#"{"log":<string>,"message":<string>,"kubernetes":{<raw>}}"#),
    ("legacy-text", r#"2026-11-22T10:14:16Z AUDIT: id="a" stage="Panic" method="get" uri="/" user=<string> <raw>"#),
    ("cri", "2026-11-22T10:14:16Z stdout P <raw>\n2026-11-22T10:14:16Z stdout F <raw>"),
    ("cloudwatch-export", r#"2026-11-22T10:14:16.000Z <raw>"#),
    ("syslog", r#"<134>Nov 22 10:14:16 host kube-apiserver[1]: <raw>"#),
    ("syslog", r#"<134>1 2026-11-22T10:14:16Z host audit - - - <raw>"#),
    ("aws-logs-tail", r#"2026-11-22T10:14:16.000000+00:00 kube-apiserver-audit-0 <raw>"#),
    ("prefixed", r#"[pod/kube-apiserver-0/kube-apiserver] <raw>"#),
    ("node-logs", r#"master-0 <raw>"#),
];

static CHECKED: Once = Once::new();

fuzz_target!(|data: &[u8]| {
    CHECKED.call_once(|| {
        for format in formats() {
            let wrapped = WRAPPERS.iter().any(|(name, _)| *name == format.name);
            assert!(wrapped, "no wrapper of the format {}", format.name);
        }
    });
    let Some((&[how, chunk, layers], bytes)) = data.split_first_chunk::<3>() else { return };
    let mut log = bytes.to_vec();
    // An envelope in an envelope in an envelope, at most: the fuzzer finds the rest itself.
    for layer in 0..usize::from(layers % 4) {
        let (_, wrapper) = WRAPPERS[(usize::from(how) + layer * 7) % WRAPPERS.len()];
        log = wrap(wrapper, &log);
    }
    let (whole, account) = stages::verdicts(&log, &[], 1 << 20, 4096);
    let events = whole.iter().filter(|verdict| verdict.what == "event").count() as u64;
    assert_eq!(account.events, events);
    assert_eq!(account.rejects.values().sum::<u64>(), whole.len() as u64 - events);
    if layers % 4 > 0 {
        assert!(account.read() > 0, "a record was dropped");
    }
    let split = usize::from(how) as u64 * log.len() as u64 / 256;
    for splits in [&[][..], &[split]] {
        let (other, other_account) = stages::verdicts(&log, splits, usize::from(chunk) + 1, 4096);
        assert_eq!(other, whole);
        assert_eq!(
            (other_account.rejects, other_account.skipped),
            (account.rejects.clone(), account.skipped.clone())
        );
    }
});

fn wrap(wrapper: &str, inside: &[u8]) -> Vec<u8> {
    let string = serde_json::Value::from(String::from_utf8_lossy(inside)).to_string();
    let mut out = Vec::new();
    let mut rest = wrapper;
    while let Some(at) = rest.find('<') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        let (content, length) = if rest.starts_with(RAW) {
            (inside, RAW.len())
        } else if rest.starts_with(STRING) {
            (string.as_bytes(), STRING.len())
        } else {
            (&b"<"[..], 1)
        };
        out.extend_from_slice(content);
        rest = &rest[length..];
    }
    out.extend_from_slice(rest.as_bytes());
    out
}
