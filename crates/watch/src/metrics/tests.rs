use std::time::Duration;

use expect_test::expect_file;

use super::{Breaker, Compat, Format, Metrics, Outcome};

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
    metrics.limit_store("common", false);
    metrics.limit_fallback("common", "crm", "local_share");
    metrics.requests_in_flight(3);
    metrics.requests_in_flight(-1);
    metrics.request_shed();
    metrics
}

#[test]
fn a_scrape_has_the_exact_names_labels_and_buckets() {
    let (content_type, text) = busy().scrape(Format::Prometheus);
    assert_eq!(content_type, "text/plain; version=0.0.4; charset=utf-8");
    expect_file!["../../tests/data/scrape.txt"].assert_eq(&ordered(&text));
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
