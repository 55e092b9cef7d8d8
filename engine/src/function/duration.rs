//! Go durations as text in, milliseconds out. The grammar is that of `time.ParseDuration`.

use std::sync::Arc;

use datafusion::{
    arrow::array::{ArrayRef, Float64Array, StringViewArray},
    error::Result,
};

pub(super) fn go_duration(args: &[&StringViewArray]) -> Result<ArrayRef> {
    Ok(Arc::new(
        args[0]
            .iter()
            .map(|text| milliseconds(text?))
            .collect::<Float64Array>(),
    ))
}

/// Units in milliseconds. The micro sign is U+00B5 or U+03BC.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1e-6),
    ("us", 1e-3),
    ("µs", 1e-3),
    ("μs", 1e-3),
    ("ms", 1.0),
    ("s", 1e3),
    ("m", 60e3),
    ("h", 3_600e3),
];

fn milliseconds(text: &str) -> Option<f64> {
    let (sign, mut rest) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    if rest == "0" {
        return Some(0.0);
    }
    let mut sum = 0.0;
    while !rest.is_empty() {
        let length = rest.find(|ch: char| !ch.is_ascii_digit() && ch != '.')?;
        let number = &rest[..length];
        if !number.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        rest = &rest[length..];
        let unit = &rest[..rest
            .find(|ch: char| ch.is_ascii_digit() || ch == '.')
            .unwrap_or(rest.len())];
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        sum += number.parse::<f64>().ok()? * factor;
        rest = &rest[unit.len()..];
    }
    (text.len() > usize::from(text.starts_with(['-', '+']))).then_some(sign * sum)
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn as_go_reads_them() {
        for (text, want) in [
            ("1m2.5s", 62_500.0),
            ("126.6µs", 0.1266),
            ("126.6μs", 0.1266),
            ("210ns", 0.000_21),
            ("-1.5h", -5_400_000.0),
            ("500.716736ms", 500.716_736),
            ("0", 0.0),
            (".5s", 500.0),
            ("1.s", 1000.0),
        ] {
            let got = milliseconds(text).unwrap();
            assert!((got - want).abs() <= want.abs() * 1e-12, "{text}: {got}");
        }
        for text in ["", "-", "1", "s", ".s", "1d", "1.2.3s", "1s2", "é", "1 s"] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
    }
}
