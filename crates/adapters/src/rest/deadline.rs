//! How much time is left, as a header says it. Always rounded down: nobody may believe in more time than there is.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use serde::Deserialize;

/// The name of gRPC's own header, whose format is the default under that name.
const GRPC_TIMEOUT: &str = "grpc-timeout";
/// The largest number that gRPC allows: eight digits.
const GRPC_MOST: u128 = 99_999_999;
/// gRPC's units, the finest first, with their length in nanoseconds.
const GRPC_UNITS: [(char, u128); 6] = [
    ('n', 1),
    ('u', 1_000),
    ('m', 1_000_000),
    ('S', 1_000_000_000),
    ('M', 60 * 1_000_000_000),
    ('H', 3_600 * 1_000_000_000),
];

/// How the time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    /// Whole milliseconds: `1500`.
    Milliseconds,
    /// A number of at most eight digits and a unit: `1500000u`. Source: "gRPC over HTTP/2", Requests, Timeout.
    Grpc,
}

impl Format {
    /// The format that goes with a name.
    pub(super) fn of(name: &HeaderName) -> Self {
        if name == GRPC_TIMEOUT { Format::Grpc } else { Format::Milliseconds }
    }
}

/// A header that carries the time left.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) name: HeaderName,
    pub(super) format: Format,
}

impl Header {
    /// What it says when so much time is left.
    pub(super) fn value(&self, left: Duration) -> HeaderValue {
        match self.format {
            Format::Milliseconds => HeaderValue::from(u64::try_from(left.as_millis()).unwrap_or(u64::MAX)),
            // Digits and a letter always make a header.
            Format::Grpc => HeaderValue::from_str(&grpc(left)).unwrap_or(HeaderValue::from_static("0n")),
        }
    }
}

/// The time in the finest unit in which it has at most eight digits.
fn grpc(left: Duration) -> String {
    let nanos = left.as_nanos();
    let fits = GRPC_UNITS.iter().find(|(_, length)| nanos / length <= GRPC_MOST);
    match fits {
        Some((unit, length)) => format!("{}{unit}", nanos / length),
        None => format!("{GRPC_MOST}H"),
    }
}

#[cfg(test)]
mod tests {
    use diag::Node;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::rest::config;

    fn said(format: Format, left: Duration) -> String {
        let header = Header { name: HeaderName::from_static("x-left"), format };
        header.value(left).to_str().unwrap().to_owned()
    }

    #[test]
    fn milliseconds_are_rounded_down() {
        let said = |nanos| said(Format::Milliseconds, Duration::from_nanos(nanos));
        assert_eq!([said(1_999_999), said(999_999), said(1_500_000_000)], ["1", "0", "1500"]);
    }

    #[test]
    fn the_unit_is_the_finest_that_eight_digits_can_say() {
        let said = |nanos| said(Format::Grpc, Duration::from_nanos(nanos));
        assert_eq!([said(1), said(99_999_999), said(100_000_000)], ["1n", "99999999n", "100000u"]);
        assert_eq!([said(100_000_999), said(1_500_000_000)], ["100000u", "1500000u"]);
        assert_eq!([said(99_999_999_999), said(100_000_000_000)], ["99999999u", "100000m"]);
    }

    #[test]
    fn more_than_eight_digits_of_milliseconds_become_seconds_minutes_and_hours_rounded_down() {
        let said = |seconds| said(Format::Grpc, Duration::from_secs(seconds));
        assert_eq!([said(99_999), said(100_000)], ["99999000m", "100000S"]);
        assert_eq!(
            [said(99_999_999), said(100_000_019), said(100_000_020)],
            ["99999999S", "1666666M", "1666667M"]
        );
        assert_eq!([said(6_000_003_599), said(u64::MAX)], ["1666667H", "99999999H"]);
    }

    #[test]
    fn the_format_is_the_one_named_or_the_one_the_name_suggests() {
        let read = |written: serde_json::Value| {
            let section = json!({ "url": "https://h.example", "deadline_header": written });
            let (config, found) = config::read("stock", &Node::from_json(&section));
            let header = config.and_then(|config| config.deadline_header);
            header.map(|header| header.format).ok_or(found.iter().map(|found| found.code).collect::<Vec<_>>())
        };
        assert_eq!(read(json!("X-Time-Left")), Ok(Format::Milliseconds));
        assert_eq!(read(json!("Grpc-Timeout")), Ok(Format::Grpc));
        assert_eq!(read(json!({ "name": "grpc-timeout" })), Ok(Format::Grpc));
        assert_eq!(read(json!({ "name": "X-Timeout", "format": "grpc" })), Ok(Format::Grpc));
        assert_eq!(
            read(json!({ "name": "grpc-timeout", "format": "milliseconds" })),
            Ok(Format::Milliseconds)
        );
        assert_eq!(read(json!("Host")), Err(vec!["REST005"]));
        assert_eq!(read(json!({ "name": "a b" })), Err(vec!["REST005"]));
        assert_eq!(read(json!({ "format": "grpc" })), Err(vec!["REST001"]));
        assert_eq!(read(json!({ "name": "X", "format": "iso8601" })), Err(vec!["REST001"]));
    }

    proptest! {
        #[test]
        fn nobody_believes_in_more_time_than_there_is(seconds: u64, nanos in 0..1_000_000_000u32) {
            let left = Duration::new(seconds, nanos);
            let said = said(Format::Grpc, left);
            let (number, unit) = said.split_at(said.len() - 1);
            let unit = GRPC_UNITS.iter().find(|(known, _)| unit.starts_with(*known)).unwrap().1;
            prop_assert!((1..=8).contains(&number.len()), "{said}");
            let told = number.parse::<u128>().unwrap() * unit;
            prop_assert!(told <= left.as_nanos(), "{said} of {left:?}");
            prop_assert!(told + unit > left.as_nanos() || number == "99999999", "{said} of {left:?}");
        }
    }
}
