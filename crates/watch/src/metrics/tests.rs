use std::time::Duration;

use expect_test::expect_file;

use super::{Breaker, Compat, Format, Metrics, Outcome, Standing};

fn busy() -> Metrics {
    let metrics = Metrics::new(Compat::default());
    metrics.act("commit", Outcome::Success, Duration::from_millis(20));
    metrics.attempt("crm", "update_contact", Outcome::Success, Duration::from_millis(300));
    metrics.attempt("crm", "update_contact", Outcome::Failure, Duration::from_secs(3));
    metrics.retry("crm");
    metrics.error("timeout", "crm", true);
    metrics.breaker("crm", Breaker::HalfOpen);
    metrics.health("crm", true);
    metrics.active_conversations(2);
    metrics.run_ended("create-order", "succeeded", Duration::from_millis(700));
    metrics.compensated("create-order");
    metrics.dead_letter("crm");
    metrics.live_runs("paused", 3);
    metrics.open_dead_letters(4);
    metrics.oldest_stuck_run(Duration::from_millis(61_900));
    metrics.outbox(3, Duration::from_millis(7_200));
    metrics.outbox_lanes([("email", 3)].into_iter(), [("email", 1)].into_iter());
    metrics.rejection("crm", "breaker_open");
    metrics.transition("crm", Breaker::Open);
    metrics.hedged("crm");
    metrics.budget_spent("crm");
    metrics.paused("crm");
    metrics.guard("crm", Standing { budget: 480, in_flight: 2, queued: 1, most: Some(32) });
    metrics.limit_store("common", false);
    metrics.limit_fallback("common", "crm", "local_share");
    metrics.requests_in_flight(3);
    metrics.requests_in_flight(-1);
    metrics.request_shed();
    metrics.request_refused("act.invalid");
    metrics.spans_exported(512);
    metrics.spans_dropped("full", 3);
    metrics
}

#[test]
fn a_scrape_has_the_exact_names_labels_and_buckets() {
    let (content_type, text) = busy().scrape(Format::Prometheus);
    assert_eq!(content_type, "text/plain; version=0.0.4; charset=utf-8");
    expect_file!["../../tests/data/scrape.txt"].assert_eq(&ordered(&text));
}

/// The page that lists every series; `UPDATE_EXPECT=1` writes it.
#[test]
fn every_series_is_in_the_reference() {
    let text = busy().scrape(Format::Prometheus).1;
    let described =
        |word: &str, line: &str| Some(line.strip_prefix("# ")?.strip_prefix(word)?.trim().to_owned());
    let helps = text.lines().filter_map(|line| described("HELP", line));
    let types = text.lines().filter_map(|line| described("TYPE", line));
    let mut rows: Vec<String> = helps.zip(types).map(|(help, type_)| row(&help, &type_, &text)).collect();
    rows.sort();
    let head = include_str!("../../tests/data/metrics-head.txt");
    let page = format!(
        "{head}\n| series | type | labels | what it tells |\n|---|---|---|---|\n{}\n",
        rows.join("\n")
    );
    expect_file!["../../../../docs/reference/metrics.md"].assert_eq(&page);
}

fn row(help: &str, type_: &str, scrape: &str) -> String {
    let (name, about) = help.split_once(' ').unwrap();
    let series = scrape.lines().find(|line| line.starts_with(name) && line.contains('{'));
    let inside =
        series.and_then(|line| line.split_once('{')?.1.split_once('}')).map_or("", |(inside, _)| inside);
    let labels = inside.split(',').filter_map(|label| label.split_once('=')).map(|(label, _)| label);
    let labels: Vec<String> =
        labels.filter(|label| *label != "le").map(|label| format!("`{label}`")).collect();
    let type_ = type_.rsplit(' ').next().unwrap();
    format!("| `{name}` | {type_} | {} | {} |", labels.join(", "), about.trim_end_matches('.'))
}

/// Series of one family come in any order; the buckets of one series keep theirs.
fn ordered(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut families: Vec<Vec<&str>> =
        lines.chunk_by(|_, next| !next.starts_with("# HELP")).map(<[&str]>::to_vec).collect();
    families.iter_mut().for_each(|family| family[2..].sort_by_key(|line| line.split(",le=").next()));
    families.concat().join("\n") + "\n"
}

#[test]
fn open_metrics_names_the_same_samples() {
    let metrics = busy();
    let samples = |text: String| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    let open = metrics.scrape(Format::OpenMetrics).1;
    assert!(open.ends_with("# EOF\n"));
    assert_eq!(samples(open), samples(metrics.scrape(Format::Prometheus).1));
}

#[test]
fn both_breaker_encodings_are_kept() {
    let metrics = Metrics::new(Compat::default());
    for (state, rag, fsm) in [(Breaker::Closed, 0, 0), (Breaker::Open, 1, 2), (Breaker::HalfOpen, 2, 1)] {
        metrics.breaker("crm", state);
        let text = metrics.scrape(Format::Prometheus).1;
        assert!(
            text.contains(&format!("\ncircuit_breaker_state{{integration=\"crm\"}} {rag}\n")),
            "{state:?}"
        );
        let second = format!("\nintegration_circuit_breaker_state{{adapter_id=\"crm\"}} {fsm}\n");
        assert!(text.contains(&second), "{state:?}");
    }
}

#[test]
fn a_tradition_can_be_left_out() {
    let metrics = Metrics::new(Compat { astra: false, rag: false, fsm: false });
    metrics.attempt("crm", "read", Outcome::Success, Duration::ZERO);
    let text = metrics.scrape(Format::Prometheus).1;
    assert!(!text.contains("astra_") && !text.contains("integration_"), "{text}");
}

#[test]
fn a_flood_of_new_names_ends_in_other() {
    let metrics = Metrics::new(Compat::default());
    for number in 0..10_000 {
        metrics.act(&format!("kind_{number}"), Outcome::Failure, Duration::ZERO);
    }
    let text = metrics.scrape(Format::Prometheus).1;
    assert_eq!(text.lines().filter(|line| line.starts_with("astra_acts_processed_total{")).count(), 33);
}
