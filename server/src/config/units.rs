//! Numbers with a unit.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

fn unit<'de, D: Deserializer<'de>>(from: D, units: &[(&str, u64)]) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    let text = match Either::deserialize(from)? {
        Either::Number(number) => return Ok(number),
        Either::Text(text) => text,
    };
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let (_, suffix) = text.split_at(digits.len());
    let factor = units.iter().find(|(name, _)| *name == suffix.trim()).map(|(_, factor)| *factor);
    factor
        .zip(digits.parse::<u64>().ok())
        .and_then(|(factor, number)| number.checked_mul(factor))
        .ok_or_else(|| {
            let units: Vec<_> = units.iter().map(|(name, _)| *name).collect();
            D::Error::custom(format!("`{text}` is not a number and one of {}", units.join(", ")))
        })
}

/// Seconds, as a number or with s, m, h or d.
pub(super) fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    unit(from, &[("s", 1), ("m", 60), ("h", 3600), ("d", 24 * 3600)])
}

/// Bytes, as a number or with B, KiB, MiB or GiB.
pub(super) fn size<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    unit(from, &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)])
}
