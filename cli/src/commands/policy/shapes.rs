//! The events of a log as facts: a statement asked of the input, each row with its facts handed on.

use anyhow::Result;
use auditql_engine::{
    access::{EventShapes, JudgedEvents, shapes_statement, sized_shapes_statement},
    policy::EventFacts,
};

use crate::{
    run::{Session, Shown, say},
    settings::Settings,
    text::counted,
};

/// Whether the sizes of events are needed, for which bodies are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShapeSizes {
    Measured,
    Unmeasured,
}

/// Calls `visit` with all events that are alike: their facts, and how many have which of the columns
/// that saved queries need. What fails is in [`Shown::ended`].
pub(super) async fn read_shapes(
    settings: &Settings,
    sizes: ShapeSizes,
    visit: &mut dyn FnMut(&EventFacts<'_>, &[u64]),
) -> Result<Shown> {
    let statement = match sizes {
        ShapeSizes::Measured => sized_shapes_statement(),
        ShapeSizes::Unmeasured => shapes_statement(),
    };
    let session = Session::open(settings).await?;
    let mut judged = JudgedEvents::default();
    let shown = session
        .read(&statement, &mut |batch| {
            let rows = EventShapes::new(batch)?;
            let found = rows.for_each(&mut *visit);
            judged.events += found.events;
            judged.unclear += found.unclear;
            Ok(())
        })
        .await;
    if judged.unclear > 0 {
        let events = counted(judged.unclear, "event");
        say(
            settings,
            &format!("{events} left out: without a stage, or without a request URI and an object"),
        );
    }
    Ok(shown)
}
