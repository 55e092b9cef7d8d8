//! Which columns of a table fit a screen, and how wide they are: what columns hold in, their widths
//! out.
//!
//! Columns come in the order of their rank, then of the result, as long as there is room for what makes
//! them readable; what is left over widens those that need it. Nothing here knows rows.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The number of rows that decide the widths of a table.
pub(super) const SAMPLE: usize = 1000;
/// Between columns.
const GAP: usize = 2;
/// A column of up to so many characters is not cut.
const WHOLE: usize = 16;

/// What a column needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct ColumnShape {
    /// The width of its name.
    pub(super) header: usize,
    /// The width of its widest value.
    pub(super) widest: usize,
    /// What a value that is longer than [`WHOLE`] is cut to at least.
    pub(super) least: usize,
    /// It has no values at all.
    pub(super) is_empty: bool,
    /// It has few values, or says the same as a column that matters more.
    pub(super) says_little: bool,
    /// Its place among those that matter most, the first is 0.
    pub(super) rank: usize,
}

/// Which columns are shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// By their places in the result, with their widths.
    pub(super) shown: Vec<(usize, usize)>,
    /// Those that do not fit.
    pub(super) hidden: Vec<usize>,
    /// Those without values.
    pub(super) empty: Vec<usize>,
}

impl Layout {
    pub(super) fn new(columns: &[ColumnShape], width: usize) -> Self {
        let natural: Vec<usize> = columns
            .iter()
            .map(|column| column.widest.max(column.header).min(width))
            .collect();
        let total: usize = natural.iter().sum::<usize>() + GAP * columns.len().saturating_sub(1);
        let all_fit = total <= width;
        let (mut empty, mut filled): (Vec<usize>, Vec<usize>) =
            (0..columns.len()).partition(|index| columns[*index].is_empty && !all_fit);
        if filled.is_empty() {
            std::mem::swap(&mut empty, &mut filled);
        }
        let mut by_rank = filled.clone();
        by_rank.sort_by_key(|index| {
            let column = &columns[*index];
            (column.says_little, column.rank, *index)
        });
        let mut room = width;
        let mut is_full = false;
        let mut widths: Vec<Option<usize>> = vec![None; columns.len()];
        let mut hidden = Vec::new();
        for index in by_rank.iter().copied() {
            let least = match natural[index] {
                natural if natural <= WHOLE => natural,
                // The name of a column is read whole where that costs little.
                _ => columns[index].least.max(columns[index].header.min(WHOLE)),
            };
            if is_full {
                hidden.push(index);
                continue;
            }
            let gap = if widths.iter().any(Option::is_some) {
                GAP
            } else {
                0
            };
            match room.checked_sub(least + gap) {
                Some(left) => {
                    room = left;
                    widths[index] = Some(least);
                }
                None if gap == 0 => {
                    widths[index] = Some(room);
                    room = 0;
                }
                None => {
                    // Not a lesser one in its place, only because it is narrow.
                    is_full = columns[index].rank != usize::MAX;
                    hidden.push(index);
                }
            }
        }
        // A character each, round by round, to those that need it.
        while room > 0 {
            let before = room;
            for index in by_rank.iter().copied() {
                if let Some(width) = widths[index].as_mut()
                    && *width < natural[index]
                    && room > 0
                {
                    *width += 1;
                    room -= 1;
                }
            }
            if room == before {
                break;
            }
        }
        hidden.sort_unstable();
        let shown = widths.into_iter().enumerate();
        Self {
            shown: shown
                .filter_map(|(index, width)| Some((index, width?)))
                .collect(),
            hidden,
            empty,
        }
    }
}

/// The text in at most this many columns, with an ellipsis where it was cut.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let kept = kept(text.chars(), width);
    kept.into_iter().chain(['…']).collect()
}

/// The same, but the end of the text is kept: the end of a user's or file's name tells more.
pub(super) fn cut_start(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let kept = kept(text.chars().rev(), width);
    ['…'].into_iter().chain(kept.into_iter().rev()).collect()
}

fn kept(text: impl Iterator<Item = char>, width: usize) -> Vec<char> {
    let mut used = 0;
    let fits = |letter: &char| {
        used += letter.width().unwrap_or(0);
        used < width
    };
    text.take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(header: usize, widest: usize) -> ColumnShape {
        ColumnShape {
            header,
            widest,
            least: 14,
            is_empty: widest == 0,
            says_little: false,
            rank: usize::MAX,
        }
    }

    #[test]
    fn what_fits_is_as_wide_as_it_needs() {
        let layout = Layout::new(&[column(2, 5), column(9, 4), column(1, 0)], 80);
        assert_eq!(layout.shown, [(0, 5), (1, 9), (2, 1)]);
        assert!(layout.hidden.is_empty() && layout.empty.is_empty());
    }

    #[test]
    fn what_does_not_fit_is_hidden_and_the_screen_is_full() {
        let mut columns = vec![
            column(4, 40),
            column(4, 0),
            column(4, 40),
            column(8, 90),
            column(3, 3),
        ];
        columns[3].rank = 0;
        for width in [1, 20, 40, 80, 120, 200] {
            let layout = Layout::new(&columns, width);
            let used: usize = layout.shown.iter().map(|(_, width)| width).sum();
            let used = used + GAP * (layout.shown.len() - 1);
            assert!(used <= width, "{width}: {layout:?}");
            let all = layout.shown.len() + layout.hidden.len() + layout.empty.len();
            assert_eq!(all, columns.len(), "{layout:?}");
            assert!(
                layout.shown.iter().any(|(index, _)| *index == 3),
                "the ranked one stays"
            );
        }
        let layout = Layout::new(&columns, 80);
        assert_eq!(layout.empty, [1]);
        assert!(layout.hidden.is_empty(), "{layout:?}");
    }

    #[test]
    fn texts_are_cut_at_the_end_that_tells_less() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut_start("abcdef", 4), "…def");
        assert_eq!(cut_start("漢字漢字", 5), "…漢字");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abc", 1), "…");
    }
}
