//! Durations as people write them, and RFC 3339 times as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::text;

/// Reads `90s`, `30m`, `24h`, `7d` or `2w` as seconds.
///
/// # Errors
/// A sentence for the usage error if it is anything else, zero, or beyond 64 bits.
pub(crate) fn parse_duration(text: &str) -> Result<u64, String> {
    let how = text::words::duration_how;
    let unit = text.chars().last().ok_or_else(how)?;
    let digits = text.strip_suffix(unit).unwrap_or_default();
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(how().into()),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(how().into());
    }
    let number: u64 = digits.parse().map_err(|_| text::words::duration_long())?;
    match number.checked_mul(seconds) {
        Some(0) => Err(text::words::duration_nothing().into()),
        Some(total) => Ok(total),
        None => Err(text::words::duration_long().into()),
    }
}

/// An RFC 3339 time as `2027-04-25 09:12` in the zone of this machine; as it came if it is none.
pub(crate) fn minute(text: &str) -> String {
    in_zone(text, "%Y-%m-%d %H:%M", TimeZone::system())
}

fn in_zone(text: &str, format: &str, zone: TimeZone) -> String {
    match text.parse::<Timestamp>() {
        Ok(time) => time.to_zoned(zone).strftime(format).to_string(),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        assert_eq!(parse_duration("90s"), Ok(90));
        assert_eq!(parse_duration("30m"), Ok(1_800));
        assert_eq!(parse_duration("24h"), Ok(86_400));
        assert_eq!(parse_duration("7d"), Ok(604_800));
        assert_eq!(parse_duration("2w"), Ok(1_209_600));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "h",
            "24",
            "0h",
            "-1h",
            "+1h",
            "1.5h",
            "1y",
            "24 h",
            "é",
            "1é",
            "99999999999999999999s",
            "9999999999999999999w",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_shown_to_the_minute() {
        let shown = in_zone("2027-04-25T09:12:03Z", "%Y-%m-%d %H:%M", TimeZone::UTC);
        assert_eq!(shown, "2027-04-25 09:12");
        assert_eq!(minute("noon"), "noon");
    }
}
