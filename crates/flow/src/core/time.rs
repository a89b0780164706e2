//! Times as flows write them: every form that RFC 3339 allows is read, or refused for what is the matter with it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The last second that is kept: 64 bits of nanoseconds since 1970 end there.
const LAST: i64 = i64::MAX / 1_000_000_000;
/// As fine as a clock is read.
const NANOS: usize = 9;

/// Reads a time. More digits of a second than are kept are cut off, a leap second is the second before.
pub(super) fn instant(written: &str) -> Result<Timestamp, String> {
    let text = short(written);
    let far = || format!("{written:?} is too far away: times up to {} are kept", last());
    match text.parse::<Timestamp>() {
        Ok(time) if time > last() => Err(far()),
        Ok(time) => Ok(time),
        Err(_) if is_last_day(&text) => Err(far()),
        Err(_) => Err(format!("{written:?} is no RFC 3339 time")),
    }
}

/// The time after a while, when it is one that is kept.
pub(super) fn after(now: Timestamp, wait: Duration) -> Option<Timestamp> {
    let wait = SignedDuration::try_from(wait).ok()?;
    now.checked_add(wait).ok().filter(|time| *time <= last())
}

/// The time after a while; the last there is for one without end.
pub(crate) fn later(now: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_hours(24));
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

fn last() -> Timestamp {
    Timestamp::from_second(LAST).unwrap_or(Timestamp::MAX)
}

/// With no more digits of a second than are kept.
fn short(written: &str) -> String {
    let Some((whole, rest)) = written.split_once('.') else { return written.to_owned() };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, offset) = rest.split_at(digits);
    format!("{whole}.{}{offset}", &fraction[..digits.min(NANOS)])
}

/// The last day of the year 9999 is beyond what can be held, and written as rightly as any other.
fn is_last_day(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("9999-12-3") else { return false };
    rest.starts_with(['0', '1']) && format!("9999-12-2{}", rest).parse::<Timestamp>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(written: &str, wanted: Result<&str, &str>) {
        let read = instant(written).map(|time| time.to_string());
        assert_eq!(read.as_deref().map_err(|why| why.split(": ").next().unwrap_or(why)), wanted);
    }

    #[test]
    fn every_time_is_read_or_too_far_away() {
        check("2001-01-01T00:00:00.123456789123Z", Ok("2001-01-01T00:00:00.123456789Z"));
        check("2016-12-31T23:59:60Z", Ok("2016-12-31T23:59:59Z"));
        check("2001-01-01t00:00:00+02:00", Ok("2000-12-31T22:00:00Z"));
        check("2262-04-11T23:47:16Z", Ok("2262-04-11T23:47:16Z"));
        for far in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.9999999999-12:00", "3000-01-01T00:00:00Z"] {
            let read = instant(far).unwrap_err();
            assert!(read.contains("too far away: times up to 2262-04-11T23:47:16Z"), "{read}");
        }
    }

    #[test]
    fn what_is_none_is_said_to_be_none() {
        for none in ["soon", "9999-12-32T00:00:00Z", "2001-02-30T00:00:00Z", "2001-01-01", "1.5", "."] {
            assert!(instant(none).unwrap_err().contains("is no RFC 3339 time"), "{none}");
        }
    }

    #[test]
    fn a_while_ends_within_what_is_kept() {
        assert_eq!(after(Timestamp::UNIX_EPOCH, Duration::from_secs(5)), Timestamp::from_second(5).ok());
        assert_eq!(after(Timestamp::UNIX_EPOCH, Duration::from_secs(1 << 40)), None);
        assert_eq!(after(Timestamp::UNIX_EPOCH, Duration::MAX), None);
    }
}
