//! What a question read, in whole and by object.

use super::Tally;

/// One object of the input and what was read from it.
#[derive(Debug, Clone)]
pub struct InputReport {
    /// As given or found.
    pub uri: String,
    /// Bytes as stored, where known.
    pub size: Option<u64>,
    /// How it is compressed.
    pub compression: Option<&'static str>,
    /// The counts.
    pub tally: Tally,
}

/// What a scan read, in whole and by object.
#[derive(Debug, Clone, Default)]
pub struct ScanReport {
    /// The sum over all inputs.
    pub total: Tally,
    /// By object, in the order of the input.
    pub inputs: Vec<InputReport>,
    /// Did the scan end before its input did, because no more rows were wanted or the user stopped
    /// it?
    pub partial: bool,
    /// Data files of lakes that were read and have no checksums: damage in them goes unnoticed.
    pub unchecked_files: u64,
    /// Events of inputs that the others are only compared with. They are in the total.
    pub baseline_events: u64,
    /// Was something asked about events, and the input looked at for them?
    pub asked_for_events: bool,
    /// Was something asked about RBAC objects?
    pub asked_for_objects: bool,
}

impl ScanReport {
    /// The sum over these inputs.
    pub(crate) fn of(inputs: Vec<InputReport>, partial: bool) -> Self {
        let mut report = Self {
            partial,
            ..Self::default()
        };
        inputs.into_iter().for_each(|input| report.add(input));
        report
    }

    /// One more input.
    pub(crate) fn add(&mut self, input: InputReport) {
        // The samples of an input are shown with the input.
        let mut tally = input.tally.clone();
        tally.samples.clear();
        self.total.merge(tally);
        self.inputs.push(input);
    }

    /// One more input that the others are compared with.
    pub(crate) fn add_baseline(&mut self, input: InputReport) {
        self.baseline_events += input.tally.events;
        self.add(input);
    }

    /// Was something asked about events, or objects, of an input that holds none? Then the answer
    /// says nothing.
    pub fn is_about_nothing(&self) -> bool {
        self.lacks_events() || self.lacks_objects()
    }

    /// Was something asked about events of an input that holds none?
    pub fn lacks_events(&self) -> bool {
        self.asked_for_events && !self.partial && self.total.events == self.baseline_events
    }

    /// Was something asked about RBAC objects of an input that holds none?
    pub fn lacks_objects(&self) -> bool {
        self.asked_for_objects && self.total.objects == 0
    }

    /// Could every byte of the input be read?
    pub fn is_clean(&self) -> bool {
        self.total.rejects.is_empty()
    }
}
