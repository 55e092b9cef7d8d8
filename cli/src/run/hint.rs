//! The hints of the engine, in the words of the command line: a hint in, the flag or command out.

use auditql_engine::Hint;

use crate::settings::Terminal;

/// How a hint is followed here; `None` for one that this program does not know.
pub(super) fn words(hint: &Hint) -> Option<String> {
    Some(match hint {
        Hint::AllowWrites => "--allow-writes allows statements that write".to_owned(),
        Hint::MoreMemory => {
            "raise --memory, or free space in the temporary folder (TMPDIR)".to_owned()
        }
        Hint::WithoutWindow => "leave out --since and --until".to_owned(),
        Hint::MakeLake { lake } => {
            format!("create a lake with `auditql convert -i INPUT --to {lake}`")
        }
        Hint::ListVersions { lake } => {
            format!("`auditql lake history {lake}` lists the versions")
        }
        Hint::ListSources { lake } => {
            format!("`auditql lake sources {lake}` lists the sources")
        }
        Hint::VerifyLake { lake } => {
            format!("`auditql lake verify {lake}` shows what else is wrong")
        }
        Hint::GiveParameter { name } => format!("set it with -P {name}=VALUE"),
        Hint::GiveInput if !Terminal::detect().stdin => {
            "name a log, folder or lake with -i, or `-i -` for standard input".to_owned()
        }
        Hint::GiveWindow => {
            "say where the window begins with --since, or give an earlier log with --baseline-input"
                .to_owned()
        }
        Hint::GiveInput => "name a log, folder or lake with -i, or in AUDITQL_INPUT".to_owned(),
        Hint::ListQueries => "`auditql queries` lists the saved queries".to_owned(),
        _ => return None,
    })
}
