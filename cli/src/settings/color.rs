//! Whether stderr is coloured, and the codes that do it.

/// The colours of stderr.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Color(bool);

impl Color {
    pub(crate) const ON: Self = Self(true);
    pub(crate) const OFF: Self = Self(false);

    pub(super) const fn new(is_on: bool) -> Self {
        Self(is_on)
    }

    /// What to write before and after the word `error:`.
    pub(crate) const fn error(self) -> (&'static str, &'static str) {
        self.code("\x1b[1;31m")
    }

    /// What to write before and after text of less importance.
    pub(crate) const fn faint(self) -> (&'static str, &'static str) {
        self.code("\x1b[2m")
    }

    const fn code(self, code: &'static str) -> (&'static str, &'static str) {
        if self.0 { (code, "\x1b[0m") } else { ("", "") }
    }
}
