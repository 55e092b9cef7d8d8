//! Inputs as the user names them in; what is open of them for the catalogue, and an account of what
//! was read already, out.

use std::sync::Arc;

use datafusion::prelude::SessionContext;

use super::options::{Baseline, Options};
use crate::account::InputReport;
use crate::catalog::{EventInputs, ParquetInput};
use crate::error::{Error, ErrorKind, Hint, Result};
use crate::file::guard::OutputGuard;
use crate::lake::{LakeInput, LakeRoot};
use crate::objects::ClusterObjects;
use crate::scan::look::{Looked, StreamLook, look};
use crate::scan::plan::ScanOptions;
use crate::source::listing::{self, Inputs};
use crate::source::store::Stores;
use crate::time::Window;

/// The lakes of the baseline are numbered from here, those of the inputs from 0.
const FIRST_EARLIER_LAKE: usize = 1 << 20;

/// The inputs of an engine.
pub(super) struct OpenedInputs {
    pub(super) events: EventInputs,
    pub(super) objects: Arc<ClusterObjects>,
    pub(super) manifests: Arc<[InputReport]>,
    /// The Parquet files and lakes.
    pub(super) known: Vec<InputReport>,
    /// Knows what may be written.
    pub(super) guard: OutputGuard,
    /// Were folders of days outside the window left out?
    pub(super) is_pruned: bool,
}

/// The events to compare with.
pub(super) struct EarlierInputs {
    pub(super) events: EventInputs,
    /// Their Parquet files and lakes, as far as they are not inputs anyway.
    pub(super) known: Vec<InputReport>,
}

impl OpenedInputs {
    /// Lists the inputs and looks at their first bytes.
    ///
    /// # Errors
    ///
    /// When an input does not exist, or is one of the outputs.
    pub(super) async fn open(
        options: &Options,
        stores: &Arc<Stores>,
        context: &SessionContext,
    ) -> Result<Self> {
        // What lies before the window is read, too, if it is the baseline.
        let mut listed = options.window;
        if let (Some(Baseline::Span(span)), Some(since)) = (&options.baseline, listed.since) {
            listed.since = Some(since.saturating_sub(*span));
        }
        let scan = options.scan()?;
        let read = InputReader {
            options,
            stores,
            context,
        };
        let inputs = listing::list(&options.inputs, stores, listed).await?;
        if let (Some(_), true) = (options.as_of, inputs.lakes.is_empty()) {
            let message = "none of the inputs is a lake, and only lakes have versions";
            return Err(ErrorKind::Options(message.to_owned()).into());
        }
        let guard = OutputGuard::new(&inputs.objects, &options.outputs)?;
        let is_pruned = inputs.pruned > 0;
        let (events, objects, known) = read.open(inputs, scan, options.window, 0).await?;
        let mut objects = objects;
        let manifests = std::mem::take(&mut objects.accounts).into();
        Ok(Self {
            events,
            objects: Arc::new(objects),
            manifests,
            known,
            guard,
            is_pruned,
        })
    }

    /// The events to compare with.
    ///
    /// # Errors
    ///
    /// When there is no window for them to lie before, or an input does not exist.
    pub(super) async fn earlier(
        &self,
        options: &Options,
        baseline: &Baseline,
        stores: &Arc<Stores>,
        context: &SessionContext,
    ) -> Result<EarlierInputs> {
        let since = options.window.since;
        let (names, span) = match (baseline, since) {
            (Baseline::Inputs(names), _) => (names, None),
            (Baseline::Span(span), Some(since)) => {
                (&options.inputs, Some(since.saturating_sub(*span)))
            }
            (Baseline::Span(_), None) => {
                let message = "a baseline of some time before the window needs the window's begin";
                return Err(
                    Error::from(ErrorKind::Options(message.to_owned())).with_hint(Hint::GiveWindow)
                );
            }
        };
        let window = Window {
            since: span,
            until: since,
        };
        if span.is_some() {
            return Ok(EarlierInputs {
                events: EventInputs {
                    window,
                    ..self.events.clone()
                },
                known: Vec::new(),
            });
        }
        let scan = ScanOptions {
            is_baseline: true,
            ..options.scan()?
        };
        let read = InputReader {
            options,
            stores,
            context,
        };
        let inputs = listing::list(names, stores, window).await?;
        let (events, _, known) = read.open(inputs, scan, window, FIRST_EARLIER_LAKE).await?;
        Ok(EarlierInputs { events, known })
    }
}

/// What inputs are opened with.
struct InputReader<'r> {
    options: &'r Options,
    stores: &'r Arc<Stores>,
    context: &'r SessionContext,
}

impl InputReader<'_> {
    async fn open(
        &self,
        inputs: Inputs,
        scan: ScanOptions,
        window: Window,
        first_lake: usize,
    ) -> Result<(EventInputs, ClusterObjects, Vec<InputReport>)> {
        let Inputs {
            objects,
            failures,
            lakes,
            ..
        } = inputs;
        let for_looking = Arc::clone(self.stores);
        let minor = self.options.kubernetes_minor;
        // Looking at first bytes blocks.
        let looked = tokio::task::spawn_blocking(move || {
            let stores = Arc::clone(&for_looking);
            let Looked {
                logs,
                parquet,
                manifests,
            } = look(objects, failures, scan, stores, StreamLook::Taken);
            let objects = ClusterObjects::read(manifests, &for_looking, minor);
            (logs, ParquetInput::open(parquet, &for_looking), objects)
        });
        let (logs, mut parquet, objects) = looked.await.map_err(|error| {
            ErrorKind::Internal(format!("looking at the inputs failed: {error}"))
        })?;
        let mut known = Vec::new();
        if let Some(parquet) = &mut parquet {
            known.append(&mut parquet.accounts);
        }
        let mut opened = Vec::with_capacity(lakes.len());
        for (index, lake) in lakes.iter().enumerate() {
            let root = LakeRoot::of(lake, self.stores).await?;
            let as_of = self.options.as_of;
            let lake = LakeInput::open(&root, first_lake + index, as_of, self.context).await?;
            known.push(lake.account.clone());
            opened.push(lake);
        }
        let events = EventInputs {
            logs,
            parquet,
            lakes: opened,
            window,
        };
        Ok((events, objects, known))
    }
}
