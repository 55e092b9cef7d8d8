//! `convert`: the events of the input in, one file or a lake out.

use anyhow::{Result, bail};
use auditql_engine::{Converted, Options, is_lake};

use crate::{
    args::ConvertArgs,
    run::{AccountOfRun, Session, conclude, note},
    settings::Settings,
    text::counted,
};

pub(crate) async fn convert(args: &ConvertArgs, settings: &Settings) -> Result<u8> {
    if settings.options.inputs.is_empty() {
        bail!("convert needs an input: -i with a file, folder, glob, URL, or `-` for stdin");
    }
    let mut options: Options = settings.options.clone();
    // Lines are written by one thread, so one is enough to keep them in order.
    if !is_lake(&args.to) && !args.to.to_ascii_lowercase().ends_with(".parquet") {
        options.threads = 1;
    }
    let session = Session::open_with(options, settings).await?;
    let to = args.to.clone();
    let (done, report) = session
        .work(async move |engine, account| engine.convert(&to, account).await)
        .await?;
    let (code, done) = conclude(done, AccountOfRun::of(report), settings)?;
    note(settings, &message(&done, &args.to));
    Ok(code)
}

/// What a conversion did.
fn message(done: &Converted, to: &str) -> String {
    let (events, bytes) = (counted(done.rows, "event"), counted(done.bytes, "byte"));
    let Some(version) = done.version else {
        return format!("wrote {events} ({bytes}) to {to}");
    };
    let mut message = match done.rows {
        0 => format!("nothing new for {to}, version {version}"),
        _ => {
            let files = counted(done.files, "file");
            format!("wrote {events} ({bytes} in {files}) to {to}, version {version}")
        }
    };
    if done.known > 0 {
        let inputs = counted(done.known, "input");
        message.push_str(&format!("; {inputs} already in the lake"));
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done() {
        let file = Converted {
            rows: 1,
            bytes: 2_048,
            ..Converted::default()
        };
        assert_eq!(
            message(&file, "x.parquet"),
            "wrote 1 event (2,048 bytes) to x.parquet"
        );
        let lake = Converted {
            files: 2,
            version: Some(3),
            ..file
        };
        assert_eq!(
            message(&lake, "lake"),
            "wrote 1 event (2,048 bytes in 2 files) to lake, version 3"
        );
        let nothing = Converted {
            known: 2,
            version: Some(3),
            ..Converted::default()
        };
        assert_eq!(
            message(&nothing, "lake"),
            "nothing new for lake, version 3; 2 inputs already in the lake"
        );
    }
}
