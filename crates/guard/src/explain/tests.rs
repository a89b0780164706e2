use std::num::NonZeroU32;

use expect_test::{ExpectFile, expect_file};
use port::Kind;

use super::*;
use crate::policy::{Adaptive, Bulkhead, Cache, Class, Hedge, Sign, profile};

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

/// The policy's own numbers, changed.
fn told(repeat: Repeat, policy: &Policy) -> Explanation {
    explain(&Subject { call: "crm.read", repeat, layers: &[("system crm", policy)] })
}

#[test]
fn the_longest_time_counts_the_turn_of_the_limit() {
    let rag = profile("rag").unwrap();
    // Three attempts of 30 s with 1 s in the queue and 60 s for a turn, two waits of a Retry-After of 30 s.
    assert_eq!(told(Repeat::Safe, &rag).longest, Duration::from_secs(3 * 91 + 2 * 30));
}

#[test]
fn the_longest_time_counts_the_copies_of_a_safe_call() {
    let echo = profile("echo").unwrap();
    let hedge = Some(Hedge { after: Duration::from_secs(5), max: 3 });
    let hedged = Policy { hedge, bulkhead: None, ..echo };
    assert_eq!(told(Repeat::Safe, &hedged).longest, Duration::from_secs(2 * 5 + 30));
    assert_eq!(told(Repeat::Never, &hedged).longest, Duration::from_secs(30));
}

#[test]
fn the_slowest_member_of_a_hedged_group_may_be_the_last() {
    let within = |seconds| {
        let deadline = Some(Duration::from_secs(seconds));
        told(Repeat::Safe, &Policy { deadline, ..profile("echo").unwrap() })
    };
    let operation = port::Operation::new("read", Repeat::Safe);
    let pick = crate::Pick::Hedged { after: Duration::from_secs(4) };
    let group = explain_group("mail.read", &pick, &operation, vec![within(30), within(1)]);
    assert_eq!(group.longest, Duration::from_secs(34));
}

#[test]
fn without_a_budget_a_call_is_sent_once() {
    let mut poor = profile("salesSystem").unwrap();
    poor.retry.budget.capacity = 0;
    poor.hedge = Some(Hedge { after: Duration::from_secs(5), max: 2 });
    let told = told(Repeat::Safe, &poor);
    assert_eq!((told.most_attempts, told.longest), (1, Duration::from_secs(31)));
}

/// Every number of a policy has a line: its name is found in `Debug`, which cannot forget one.
#[test]
fn every_number_is_named() {
    let policy = Policy {
        hedge: Some(Hedge { after: Duration::from_secs(5), max: 2 }),
        bulkhead: Some(Bulkhead { adaptive: Some(Adaptive::default()), ..Bulkhead::default() }),
        cache: Some(Cache { ttl: Duration::ZERO, stale: Duration::ZERO, entries: NonZeroU32::MIN }),
        ..profile("salesSystem").unwrap()
    };
    let text = format!("{policy:#?}");
    let fields = text.lines().filter_map(|line| line.trim().split_once(": ")).map(|(name, _)| name);
    let told = told(Repeat::Safe, &policy);
    let names: Vec<&str> = told.numbers.iter().flat_map(|number| number.name.split('.')).collect();
    // Written in the value of another, or only when they are there.
    let elsewhere = ["length", "buckets", "slow", "shared", "classify", "rules"];
    let missing: Vec<_> = fields.filter(|name| !names.contains(name) && !elsewhere.contains(name)).collect();
    assert_eq!(missing, [""; 0], "of {text}");
}

#[test]
fn durations_read_as_they_are_written() {
    let read = |millis| human(Duration::from_millis(millis));
    let written = [0, 250, 1_100, 30_000, 127_000, 3_600_000, 3_725_000].map(read);
    assert_eq!(written, ["0s", "250ms", "1.1s", "30s", "2m7s", "1h", "1h2m5s"]);
}
