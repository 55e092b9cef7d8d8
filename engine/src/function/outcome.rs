//! What came of a request, and what it wrote: columns of a request in, words out.
//!
//! Kubernetes' status codes: `k8s.io/apimachinery/pkg/apis/meta/v1/types.go`; 101 is the answer that
//! opens a stream (RFC 9110, Switching Protocols).

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringViewArray};
use datafusion::error::Result;

use super::pairs;

/// The severities, the least first.
const SEVERITIES: [&str; 5] = ["info", "low", "medium", "high", "critical"];

pub(super) fn outcome(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let rows = args[0].iter().zip(args[1].iter());
    let outcomes = rows.map(|(code, dry_run)| {
        let code = code.and_then(|code| code.parse::<i64>().ok());
        Some(match code {
            None => "unknown",
            Some(100..=399) if dry_run.is_some_and(|kinds| kinds.contains("All")) => "dry run",
            Some(100..=399) => "succeeded",
            Some(401 | 403) => "refused",
            Some(_) => "failed",
        })
    });
    Ok(Arc::new(outcomes.collect::<StringViewArray>()))
}

pub(super) fn graded(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let grades = pairs(args).map(|pair| {
        let (severity, outcome) = pair?;
        let place = SEVERITIES.iter().position(|known| *known == severity)?;
        let steps = usize::from(matches!(outcome, "refused" | "failed" | "dry run"));
        SEVERITIES.get(place.saturating_sub(steps)).copied()
    });
    Ok(Arc::new(grades.collect::<StringViewArray>()))
}

pub(super) fn write_kind(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let rows = args[0].iter().zip(args[1].iter());
    let rows = rows.zip(args[2].iter().zip(args[3].iter()));
    let kinds = rows.map(|((verb, group), (resource, subresource))| {
        Some(kind_of(verb?, group?, resource?, subresource?))
    });
    Ok(Arc::new(kinds.collect::<StringViewArray>()))
}

/// The log records answers as creates, too: they store nothing.
fn kind_of(verb: &str, group: &str, resource: &str, subresource: &str) -> &'static str {
    match subresource {
        "" => {}
        "status" => return "status",
        "scale" => return "scale",
        "approval" => return "approval",
        "binding" => return "binding",
        "eviction" => return "eviction",
        "token" => return "token",
        _ => return "subresource",
    }
    if verb != "create" {
        return "object";
    }
    // Every create in these groups is a question, in Kubernetes and in OpenShift.
    let is_question = match group {
        "authentication.k8s.io"
        | "authorization.k8s.io"
        | "authorization.openshift.io"
        | "identity.concierge.pinniped.dev" => {
            resource.ends_with("reviews") || resource == "whoamirequests"
        }
        "security.openshift.io" => {
            resource.starts_with("podsecuritypolicy") && resource.ends_with("reviews")
        }
        "template.openshift.io" => resource == "processedtemplates",
        _ => false,
    };
    match (is_question, group, resource) {
        (true, ..) => "review",
        (_, "login.concierge.pinniped.dev", "tokencredentialrequests") => "token",
        (_, "", "bindings") => "binding",
        _ => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(values: &[Option<&str>]) -> StringViewArray {
        values.iter().copied().collect()
    }

    fn words(array: &ArrayRef) -> Vec<String> {
        let words = array.as_any().downcast_ref::<StringViewArray>();
        let words = words.into_iter().flatten();
        words.map(|word| word.unwrap_or("-").to_owned()).collect()
    }

    #[test]
    fn outcomes_and_their_severities() {
        let codes = texts(&[
            Some("101"),
            Some("201"),
            Some("201"),
            Some("403"),
            Some("404"),
            Some("500"),
            None,
        ]);
        let dry = texts(&[None, Some(""), Some("All"), Some("All"), None, None, None]);
        let outcomes = outcome(&[&codes, &dry]).unwrap();
        let expected = [
            "succeeded",
            "succeeded",
            "dry run",
            "refused",
            "failed",
            "failed",
            "unknown",
        ];
        assert_eq!(words(&outcomes), expected);
        let severity = texts(&[
            Some("high"),
            Some("info"),
            Some("critical"),
            Some("info"),
            Some("bad"),
        ]);
        let of = texts(&[
            Some("succeeded"),
            Some("unknown"),
            Some("dry run"),
            Some("refused"),
            Some("refused"),
        ]);
        let grades = graded(&[&severity, &of]).unwrap();
        assert_eq!(words(&grades), ["high", "info", "high", "info", "-"]);
    }

    #[test]
    fn kinds_of_writes() {
        for (verb, group, resource, subresource, expected) in [
            ("create", "", "pods", "", "object"),
            ("create", "", "pods", "binding", "binding"),
            ("create", "", "bindings", "", "binding"),
            ("patch", "", "pods", "status", "status"),
            ("update", "", "pods", "ephemeralcontainers", "subresource"),
            (
                "create",
                "authorization.k8s.io",
                "selfsubjectaccessreviews",
                "",
                "review",
            ),
            (
                "create",
                "security.openshift.io",
                "podsecuritypolicysubjectreviews",
                "",
                "review",
            ),
            ("create", "example.com", "reviews", "", "object"),
            ("delete", "authorization.k8s.io", "reviews", "", "object"),
            ("create", "", "serviceaccounts", "token", "token"),
        ] {
            assert_eq!(
                kind_of(verb, group, resource, subresource),
                expected,
                "{resource}/{subresource}"
            );
        }
    }
}
