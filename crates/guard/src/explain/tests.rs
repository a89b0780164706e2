use expect_test::{ExpectFile, expect_file};
use port::Kind;

use super::*;
use crate::policy::{Class, Sign, profile};

fn check(repeat: Repeat, layers: &[(&str, &Policy)], expected: &ExpectFile) {
    let text = explain(&Subject { call: "crm.create", repeat, layers }).to_string();
    let text: Vec<_> = text.lines().map(str::trim_end).collect();
    expected.assert_eq(&text.join("\n"));
}

#[test]
fn each_number_says_where_it_comes_from() {
    let profile = profile("erpSystem").unwrap();
    let system = Policy { attempt_timeout: Duration::from_secs(20), ..profile.clone() };
    let operation = Policy { deadline: Some(Duration::from_secs(60)), ..system.clone() };
    let layers =
        [("profile erpSystem", &profile), ("system crm", &system), ("operation crm.create", &operation)];
    check(Repeat::Keyed, &layers, &expect_file!["../../tests/data/explain-layers.txt"]);
}

#[test]
fn a_call_without_retries_is_sent_once() {
    let echo = profile("echo").unwrap();
    let bare = Policy { breaker: None, bulkhead: None, limit: None, ..echo };
    check(Repeat::Never, &[("profile echo", &bare)], &expect_file!["../../tests/data/explain-once.txt"]);
}

#[test]
fn what_counts_differently_is_named() {
    let mut odd = profile("echo").unwrap();
    odd.classify.differ([(Sign::Kind(Kind::Conflict), Class::Failure), (Sign::Status(404), Class::Failure)]);
    odd.classify.differ([(Sign::Status(503), Class::Throttle)]);
    let layers = [("profile echo", &profile("echo").unwrap()), ("system crm", &odd)];
    let told = explain(&Subject { call: "crm.create", repeat: Repeat::Never, layers: &layers });
    let said = told.numbers.iter().filter(|number| number.name.starts_with("classify"));
    let said: Vec<_> =
        said.map(|number| format!("{} {} {}", number.name, number.value, number.origin)).collect();
    assert_eq!(said, ["classify.failure 404, conflict system crm", "classify.throttle 503 system crm"]);
}

#[test]
fn the_longest_time_counts_every_wait() {
    let sales = profile("salesSystem").unwrap();
    let layers = [("profile salesSystem", &sales)];
    let told = explain(&Subject { call: "crm.create", repeat: Repeat::Keyed, layers: &layers });
    // Four attempts of 30 s with 1 s in the queue, three waits of a Retry-After of 30 s.
    assert_eq!((told.most_attempts, told.longest), (4, Duration::from_secs(4 * 31 + 3 * 30)));
}

#[test]
fn durations_read_as_they_are_written() {
    let read = |millis| human(Duration::from_millis(millis));
    let written = [0, 250, 1_100, 30_000, 127_000, 3_600_000, 3_725_000].map(read);
    assert_eq!(written, ["0s", "250ms", "1.1s", "30s", "2m7s", "1h", "1h2m5s"]);
}
