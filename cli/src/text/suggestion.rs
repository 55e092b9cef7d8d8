//! "Did you mean": a mistyped name and the known ones in, an error message out.

/// From this similarity on, a name is likely to be the one that was meant.
const ALIKE: f64 = 0.8;
/// The shortest name that is searched for in others, and may have one letter wrong.
const PART: usize = 3;

/// The message for a name that is not known: the known name that looks most like it, or else what
/// `otherwise` says.
pub(crate) fn unknown<'k>(
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'k str>,
    otherwise: &str,
) -> String {
    match most_alike(name, known) {
        Some(alike) => format!("unknown {what} `{name}`; did you mean `{alike}`?"),
        None => format!("unknown {what} `{name}`; {otherwise}"),
    }
}

fn most_alike<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let name = name.to_lowercase();
    let score = |candidate: &str| {
        let similarity = strsim::jaro_winkler(&name, &candidate.to_lowercase());
        // `exec` is not much like `pod-exec-sessions`, nor `gek` like `gke`.
        let is_close = name.len() >= PART
            && (candidate.contains(&name) || strsim::damerau_levenshtein(&name, candidate) == 1);
        if is_close {
            similarity.max(ALIKE)
        } else {
            similarity
        }
    };
    known
        .into_iter()
        .map(|candidate| (score(candidate), candidate))
        .filter(|(score, _)| *score >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike() {
        let known = ["events", "requests", "exec_sessions", "secret_reads"];
        assert_eq!(most_alike("evnts", known), Some("events"));
        assert_eq!(most_alike("REQUEST", known), Some("requests"));
        assert_eq!(most_alike("sessions", known), Some("exec_sessions"));
        assert_eq!(most_alike("gek", ["gke", "aks"]), Some("gke"));
        assert_eq!(most_alike("nothing", known), None);
        assert_eq!(most_alike("", known), None);
        assert_eq!(
            unknown("table", "evnts", known, "`auditql schema` lists them"),
            "unknown table `evnts`; did you mean `events`?"
        );
        assert_eq!(
            unknown("table", "x", known, "`auditql schema` lists them"),
            "unknown table `x`; `auditql schema` lists them"
        );
    }
}
