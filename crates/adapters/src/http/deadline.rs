//! How much time is left, as a header says it. Always rounded down: nobody may believe in more time than there is.

use std::time::Duration;

use diag::{Field, Shape};
use http::{HeaderName, HeaderValue};
use serde::Deserialize;

use super::headers::header_name;
use super::judge::Judge;

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
pub(crate) enum Format {
    /// Whole milliseconds: `1500`.
    Milliseconds,
    /// A number of at most eight digits and a unit: `1500000u`. Source: "gRPC over HTTP/2", Requests, Timeout.
    Grpc,
}

impl Format {
    /// The format that goes with a name.
    pub(crate) fn of(name: &HeaderName) -> Self {
        if name == GRPC_TIMEOUT { Format::Grpc } else { Format::Milliseconds }
    }
}

/// A header that carries the time left.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) name: HeaderName,
    pub(crate) format: Format,
}

/// A name, or a name and a format.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "deadline_header is a name, or a mapping of `name` and `format`")]
pub(crate) enum DeadlineHeader {
    Name(String),
    Formatted(Formatted),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Formatted {
    pub(crate) name: String,
    pub(crate) format: Option<Format>,
}

impl Header {
    /// What it says when so much time is left.
    pub(crate) fn value(&self, left: Duration) -> HeaderValue {
        match self.format {
            Format::Milliseconds => HeaderValue::from(u64::try_from(left.as_millis()).unwrap_or(u64::MAX)),
            // Digits and a letter always make a header.
            Format::Grpc => HeaderValue::from_str(&grpc(left)).unwrap_or(HeaderValue::from_static("0n")),
        }
    }
}

/// Judges what is written.
pub(super) fn judged(written: &DeadlineHeader, judge: &mut Judge<'_>) -> Option<Header> {
    let (name, path, format): (_, &[&str], _) = match written {
        DeadlineHeader::Name(name) => (name, &["deadline_header"], None),
        DeadlineHeader::Formatted(header) => (&header.name, &["deadline_header", "name"], header.format),
    };
    let name = header_name(name, path, judge)?;
    let format = format.unwrap_or_else(|| Format::of(&name));
    Some(Header { name, format })
}

/// What `deadline_header` may hold beside a name.
pub(super) fn shape() -> Shape {
    let formats = Shape::choice(["milliseconds", "grpc"]);
    Shape::object([
        Field::new("name", Shape::text()).required().doc("the header's name"),
        Field::new("format", formats)
            .doc("`1500`, or `1500000u`: at most eight digits and a unit; by default what the name suggests"),
    ])
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
    use crate::http::{Codes, Config, Written};

    const CODES: Codes = Codes {
        address: "address",
        header: "header",
        clear_text: "clear_text",
        size: "size",
        credential: "credential",
        secret: "secret",
        reach: "reach",
        tls: "tls",
    };

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
            let mut section = json!({ "url": "https://h.example", "deadline_header": written });
            let node = Node::from_json(&section);
            let mut judge = Judge::new(&node, &CODES);
            let written = Written::take(&mut section).map_err(|_| vec!["unreadable"])?;
            let header = Config::judged(written, &mut judge).and_then(|config| config.deadline_header);
            let codes = || judge.found.iter().map(|found| found.code).collect::<Vec<_>>();
            header.map(|header| header.format).ok_or_else(codes)
        };
        assert_eq!(read(json!("X-Time-Left")), Ok(Format::Milliseconds));
        assert_eq!(read(json!("Grpc-Timeout")), Ok(Format::Grpc));
        assert_eq!(read(json!({ "name": "grpc-timeout" })), Ok(Format::Grpc));
        assert_eq!(read(json!({ "name": "X-Timeout", "format": "grpc" })), Ok(Format::Grpc));
        assert_eq!(
            read(json!({ "name": "grpc-timeout", "format": "milliseconds" })),
            Ok(Format::Milliseconds)
        );
        assert_eq!(read(json!("Host")), Err(vec!["header"]));
        assert_eq!(read(json!({ "name": "a b" })), Err(vec!["header"]));
        assert_eq!(read(json!({ "format": "grpc" })), Err(vec!["unreadable"]));
        assert_eq!(read(json!({ "name": "X", "format": "iso8601" })), Err(vec!["unreadable"]));
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
