//! RFC 3339 times, read strictly and kept as they were written.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, Time as Clock};
use jiff::tz::Offset;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// An instant and the text it was read from, which is what is written back.
///
/// Strict means: four-digit year, `T` between date and time, seconds present, a zone that is `Z` or has a colon.
/// The letters may be lower case and `23:59:60Z` is a time, both as RFC 3339 has it; a space is no separator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Time {
    at: Timestamp,
    text: Box<str>,
}

impl Time {
    /// Reads an RFC 3339 date-time. `None` when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self { at: date_time(text)?, text: text.into() })
    }

    /// The instant. Times in the last hours of the year 9999 are held at the latest instant that can be counted.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The time as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        Self { at, text: at.to_string().into() }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("expected an RFC 3339 date-time with a zone"))
    }
}

/// `YYYY-MM-DD`.
pub(crate) fn date(text: &str) -> Option<Date> {
    let b = text.as_bytes();
    if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
        return None;
    }
    let year = i16::try_from(digits(&b[0..4])?).ok()?;
    let month = i8::try_from(digits(&b[5..7])?).ok()?;
    Date::new(year, month, i8::try_from(digits(&b[8..10])?).ok()?).ok()
}

/// `HH:MM:SS`, perhaps a fraction, perhaps a zone.
pub(crate) fn is_time(text: &str) -> bool {
    clock(text).is_some_and(|(_, leap, rest)| !leap && (rest.is_empty() || zone(rest).is_some()))
}

fn date_time(text: &str) -> Option<Timestamp> {
    let date = date(text.get(..10)?)?;
    let rest = text[10..].strip_prefix(['T', 't'])?;
    let (clock, leap, rest) = clock(rest)?;
    let offset = zone(rest)?;
    let local = date.to_datetime(clock);
    // The zone may push the very first and last days of the calendar off its ends.
    let Ok(at) = offset.to_timestamp(local) else {
        return Some(if date.year() > 0 { Timestamp::MAX } else { Timestamp::MIN });
    };
    let at_midnight = at.as_second().rem_euclid(86_400) == 86_399;
    (!leap || at_midnight).then_some(at)
}

/// The time of day, whether it is a leap second (then held at :59), and what follows it.
fn clock(text: &str) -> Option<(Clock, bool, &str)> {
    let b = text.as_bytes();
    if b.len() < 8 || b[2] != b':' || b[5] != b':' || !text.is_char_boundary(8) {
        return None;
    }
    let (hour, minute, second) = (digits(&b[0..2])?, digits(&b[3..5])?, digits(&b[6..8])?);
    let leap = second == 60;
    let (nanos, rest) = fraction(&text[8..])?;
    let part = |n: u32| i8::try_from(n).ok();
    let second = if leap { 59 } else { second };
    Some((Clock::new(part(hour)?, part(minute)?, part(second)?, nanos).ok()?, leap, rest))
}

fn fraction(text: &str) -> Option<(i32, &str)> {
    let Some(tail) = text.strip_prefix('.') else { return Some((0, text)) };
    let length = tail.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 {
        return None;
    }
    let nanos = tail.bytes().take(length).chain(std::iter::repeat(b'0')).take(9);
    let nanos = nanos.fold(0i32, |sum, digit| sum * 10 + i32::from(digit - b'0'));
    Some((nanos, &tail[length..]))
}

fn zone(text: &str) -> Option<Offset> {
    if matches!(text, "Z" | "z") {
        return Some(Offset::UTC);
    }
    let b = text.as_bytes();
    if b.len() != 6 || b[3] != b':' {
        return None;
    }
    let (hours, minutes) = (digits(&b[1..3])?, digits(&b[4..6])?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    match b[0] {
        b'+' => Offset::from_seconds(seconds).ok(),
        b'-' => Offset::from_seconds(-seconds).ok(),
        _ => None,
    }
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_rfc_3339_allows() {
        for (text, instant) in [
            ("2025-03-04T09:15:00Z", "2025-03-04T09:15:00Z"),
            ("2025-03-04T11:15:00.125+02:00", "2025-03-04T09:15:00.125Z"),
            ("2024-02-29t00:00:00z", "2024-02-29T00:00:00Z"),
            ("2025-03-04T09:15:00.1234567890123Z", "2025-03-04T09:15:00.123456789Z"),
            ("1998-12-31T23:59:60Z", "1998-12-31T23:59:59Z"),
            ("1998-12-31T15:59:60.5-08:00", "1998-12-31T23:59:59.5Z"),
        ] {
            let time = Time::parse(text).expect(text);
            assert_eq!(time.at().to_string(), instant);
            assert_eq!(time.as_str(), text);
        }
        assert_eq!(Time::parse("9999-12-31T23:59:59Z").unwrap().at(), Timestamp::MAX);
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "yesterday",
            "2025-03-04",
            "2025-03-04T09:15:00",
            "2025-03-04 09:15:00Z",
            "2025-13-04T09:15:00Z",
            "2023-02-29T00:00:00Z",
            "2025-03-04T09:15Z",
            "2025-03-04T09:15:00+0200",
            "2025-03-04T24:00:00Z",
            "2025-03-04T09:15:00Z\n",
            " 2025-03-04T09:15:00Z",
            "2025-03-04T09:15:60Z",
            "2025-03-04T09:15:00.Z",
            "2025-03-04T09:15:00+24:00",
            "2025-03-04T09:15:00,5Z",
            "25-03-04T09:15:00Z",
            "2025-3-4T09:15:00Z",
            "２０２5-03-04T09:15:00Z",
            "2025-03-04T09:15:0é",
            "+002025-03-04T09:15:00Z",
        ] {
            assert_eq!(Time::parse(text), None, "{text:?}");
        }
    }
}
