//! The marks of an audit event: any bytes in; whether an event may be in them out.
//!
//! What bears them is an event or a reject, never a skip: a record that no format took, or a whole
//! file. The marks are `audit.k8s.io`, or `auditID` together with `requestURI` or `stage`, or a Cloud
//! Audit Log's `serviceName: k8s.io`, in any spelling (`audit_id`, `AuditId`), with escapes or zero
//! bytes between the letters (JSON in a string, UTF-16), in base64, in a list of bytes, or compressed
//! in these.
//!
//! Not responsible for: reading what is packed ([`packed`](super::packed)).

use memchr::memmem;

use crate::format::packed::{base64_bytes, byte_list, inflated};

/// Packings in packings that are looked into.
const MOST_LAYERS: usize = 8;
/// Shorter texts in base64 hold no event.
const SHORTEST_BASE64: usize = 48;
/// So much of compressed bytes is looked at.
const MOST_INFLATED: u64 = 8 << 20;

/// Does an audit event seem to be in these bytes?
pub(crate) fn bears_marks(bytes: &[u8]) -> bool {
    bears(bytes, MOST_LAYERS)
}

/// Is this spelled out in the text, packed in nothing? Quicker than [`bears_marks`].
pub(super) fn is_spelled(bytes: &[u8]) -> bool {
    let letters = letters(bytes);
    let has = |word: &str| memmem::find(&letters, word.as_bytes()).is_some();
    let id = has("auditid:");
    // Google's translation has neither.
    has("servicename:k8sio")
        || (id
            && ["requesturi:", "stage:", "stagetimestamp:"]
                .into_iter()
                .any(has))
        || (has(GROUP) && names_group(&letters, id))
}

const GROUP: &str = "auditk8sio";

/// Does it name the API group other than in the flags of an apiserver (`--audit-log-version`), and
/// is it not the policy that says what is logged?
fn names_group(letters: &[u8], id: bool) -> bool {
    let is_policy = !id && memmem::find(letters, b"kind:policy").is_some();
    let flags = ["auditlogversion", "auditwebhookversion"];
    !is_policy
        && memmem::find_iter(letters, GROUP).any(|at| {
            let before = &letters[..at.saturating_sub(1)];
            !flags.iter().any(|flag| before.ends_with(flag.as_bytes()))
        })
}

fn bears(bytes: &[u8], layers: usize) -> bool {
    if is_spelled(bytes) {
        return true;
    }
    if layers == 0 {
        return false;
    }
    if let Some(inside) = inflated(bytes, MOST_INFLATED) {
        return bears(&inside, layers - 1);
    }
    // Wide characters: what they spell may be packed again.
    let zeros = memchr::memchr_iter(0, bytes).count();
    if zeros > 0 && zeros * 3 >= bytes.len() {
        let narrow: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
        if bears(&narrow, layers - 1) {
            return true;
        }
    }
    runs(bytes, is_base64, SHORTEST_BASE64).any(|run| {
        // Where the text begins in a run of such letters is not known.
        (0..4)
            .any(|skip| base64_bytes(&run[skip..]).is_some_and(|inside| bears(&inside, layers - 1)))
    }) || runs(bytes, is_list, SHORTEST_BASE64)
        .any(|run| byte_list(run).is_some_and(|inside| bears(&inside, layers - 1)))
}

/// The letters and digits in lower case. What joins the words of a name is left out, as are zeros
/// between the bytes of wide characters. Anything else between them becomes one blank, or a colon
/// behind what may be the name of a member, a pair or a column, or a semicolon behind what is not.
fn letters(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 2);
    out.push(b' ');
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'a'..=b'z' | b'0'..=b'9' => out.push(byte),
            b'A'..=b'Z' => out.push(byte.to_ascii_lowercase()),
            b'_' | b'-' | b'.' | 0 => {}
            b'\\' => {
                let (letter, used) = escaped(&bytes[at..]);
                at += used;
                match letter {
                    Some(letter) => out.push(letter),
                    None => separate(&mut out, None),
                }
            }
            other => separate(&mut out, Some(other)),
        }
    }
    separate(&mut out, Some(b'\n'));
    out
}

/// What stands between letters: quotes tell nothing, and of the others the first does.
fn separate(out: &mut Vec<u8>, byte: Option<u8>) {
    let names = matches!(
        byte,
        Some(b':' | b'=' | b',' | b';' | b'|' | b'>' | b'\t' | b'\r' | b'\n')
    );
    let quote = matches!(byte, None | Some(b'"' | b'\'' | b'`' | b' '));
    match out.last() {
        Some(b':' | b';') => {}
        Some(b' ') if quote => {}
        Some(b' ') => {
            if let Some(last) = out.last_mut() {
                *last = if names { b':' } else { b';' };
            }
        }
        _ => out.push(if names {
            b':'
        } else if quote {
            b' '
        } else {
            b';'
        }),
    }
}

/// The letter that an escape stands for, and how many bytes follow its first backslash. Text in
/// text in text has several.
fn escaped(rest: &[u8]) -> (Option<u8>, usize) {
    let slashes = rest
        .iter()
        .take_while(|byte| matches!(byte, b'\\' | 0))
        .count();
    let rest = &rest[slashes..];
    match rest.first() {
        Some(b'n' | b'r' | b't' | b'b' | b'f') => (None, slashes + 1),
        Some(b'u') => match code(rest) {
            Some(letter) => (Some(letter), slashes + 5),
            None => (None, slashes + 1),
        },
        _ => (None, slashes),
    }
}

/// The letter of `u0041`, in lower case.
fn code(escape: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(escape.get(1..5)?).ok()?;
    let code = u8::try_from(u32::from_str_radix(digits, 16).ok()?).ok()?;
    code.is_ascii_alphanumeric()
        .then(|| code.to_ascii_lowercase())
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'\r' | b'\n' | b'\\')
}

fn is_list(byte: u8) -> bool {
    byte.is_ascii_digit() || byte.is_ascii_whitespace() || matches!(byte, b',' | b'-')
}

/// The longest parts of `bytes` that are made of such bytes only, and are not short.
fn runs(bytes: &[u8], is: impl Fn(u8) -> bool, shortest: usize) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(move |byte| !is(*byte))
        .filter(move |run| run.len() >= shortest)
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;

    #[test]
    fn any_spelling_is_a_mark() {
        for text in [
            r#"{"apiVersion":"audit.k8s.io/v1"}"#,
            r#"{"auditID":"a","stage":"Panic"}"#,
            r#"{"AuditId":"a","RequestUri":"/"}"#,
            r#"{"audit_id":"a","request_uri":"/"}"#,
            r#""{\"auditID\":\"a\",\"stage\":\"Panic\"}""#,
            r#""{\\\"\\u0061uditID\\\":1,\\\"stage\\\":2}""#,
            "audit-id=a stage=Panic",
            "protoPayload:\n  serviceName: k8s.io\n",
            "kubernetes.audit.auditID,kubernetes.audit.stage",
        ] {
            assert!(bears_marks(text.as_bytes()), "{text}");
            for prefix in ["", "x", "yz"] {
                let packed = STANDARD.encode(format!("{prefix}{:60}{text}", ""));
                assert!(bears_marks(packed.as_bytes()), "{text} in base64");
                let twice = format!("{{\"data\":\"{}\"}}", STANDARD.encode(&packed));
                assert!(bears_marks(twice.as_bytes()), "{text} in base64 twice");
            }
            let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert!(bears_marks(&wide), "{text} in UTF-16");
            let long = format!("{text}{:60}", "");
            let bytes: Vec<String> = long.bytes().map(|byte| byte.to_string()).collect();
            assert!(bears_marks(bytes.join(", ").as_bytes()), "{text} as bytes");
        }
    }

    #[test]
    fn what_only_speaks_of_audit_logs_bears_none() {
        for text in [
            "",
            "the audit IDs of each stage",
            r#"{"textPayload":"\"GET /auditID?stage=1 HTTP/1.1\" 200"}"#,
            r#"{"auditID":"a","verb":"get"}"#,
            "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n  omitStages: []",
            r#"I1122 10:00:00.0 1 flags.go:64] FLAG: --audit-log-version="audit.k8s.io/v1""#,
            r#"{"kind":"Event","apiVersion":"v1","reason":"Pulled"}"#,
            r#"{"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog"}}"#,
        ] {
            assert!(!bears_marks(text.as_bytes()), "{text}");
        }
    }
}
