//! Spans on their way to a collector: nobody waits for it, and the log says once when it is away and once when it is back.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;
use testkit::crash::free_port;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::scene::Scene;

/// The head of a request and its body, as they came.
type Got = (String, Vec<u8>);

/// A collector that takes everything and keeps it.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Got>>>);

impl Collector {
    async fn listens_at(&self, address: SocketAddr) {
        let listener = TcpListener::bind(address).await.unwrap();
        let this = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let this = this.clone();
                tokio::spawn(async move { this.answers(stream).await });
            }
        });
    }

    async fn answers(&self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if stream.read_line(&mut head).await.unwrap_or_default() == 0 {
                    return;
                }
            }
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let mut body = vec![0; length.parse().unwrap()];
            stream.read_exact(&mut body).await.unwrap();
            self.0.lock().push((head, body));
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        }
    }

    fn has(&self, name: &str) -> bool {
        let got = self.0.lock();
        got.iter().any(|(_, body)| body.windows(name.len()).any(|part| part == name.as_bytes()))
    }
}

/// A scene that exports to this port, with a credential that stands in a file.
async fn exporting(port: u16, more: &str) -> (Scene, tempfile::NamedTempFile) {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "Bearer let-me-in\n").unwrap();
    let section = format!(
        "secrets: {{ collector: {{ file: {} }} }}\n\
         telemetry: {{ otlp: {{ endpoint: 'http://127.0.0.1:{port}', protocol: http, interval: 20ms, \
         headers: {{ authorization: {{ secret: collector }} }}{more} }} }}\n",
        secret.path().display()
    );
    (Scene::set("info", |text| text + &section).await, secret)
}

fn said(scene: &Scene, message: &str) -> Vec<Value> {
    scene.log().into_iter().filter(|line| line["message"] == message).collect()
}

#[tokio::test]
async fn orders_go_on_without_a_collector_and_their_last_spans_reach_one_that_comes() {
    let port = free_port().unwrap();
    let (scene, _secret) = exporting(port, "").await;
    for order in ["order_1", "order_2"] {
        let run = scene.ordered(order).await;
        scene.run_is(&run, "succeeded").await;
    }
    scene.eventually(async || !said(&scene, "spans cannot be exported").is_empty()).await;
    let collector = Collector::default();
    collector.listens_at(([127, 0, 0, 1], port).into()).await;
    scene.eventually(async || collector.has("process-commit") && collector.has("payments.charge")).await;
    scene.eventually(async || !said(&scene, "spans are exported again").is_empty()).await;
    let (gone, back) = (said(&scene, "spans cannot be exported"), said(&scene, "spans are exported again"));
    assert_eq!((gone.len(), back.len()), (1, 1), "{gone:#?} {back:#?}");
    assert!(collector.0.lock().iter().all(|(head, _)| head.starts_with("post /v1/traces http/1.1\r\n")));
    assert!(collector.0.lock()[0].0.contains("authorization: bearer let-me-in\r\n"));
    let metrics = scene.page("/metrics").await;
    assert!(metrics.lines().any(|line| line.starts_with("cardan_spans_exported_total ")), "{metrics}");
    assert!(!scene.log().iter().any(|line| line.to_string().contains("let-me-in")));
}

#[tokio::test]
async fn a_queue_that_is_full_drops_spans_and_orders_go_on() {
    // It takes connections and never answers.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (scene, _secret) = exporting(mute.local_addr().unwrap().port(), ", queue: 1, batch: 1").await;
    let run = scene.ordered("order_1").await;
    scene.run_is(&run, "succeeded").await;
    let metrics = scene.page("/metrics").await;
    let full =
        metrics.lines().find_map(|line| line.strip_prefix("cardan_spans_dropped_total{reason=\"full\"} "));
    assert!(full.is_some_and(|count| count.parse::<u64>().unwrap() > 10), "{metrics}");
}

#[tokio::test]
async fn a_trace_that_is_not_sampled_reaches_nobody_and_systems_are_told() {
    let port = free_port().unwrap();
    let (scene, _secret) = exporting(port, ", sample: 0").await;
    let collector = Collector::default();
    collector.listens_at(([127, 0, 0, 1], port).into()).await;
    let own = scene.order("order_1", &[]).await;
    assert!(own.headers()["traceresponse"].to_str().unwrap().ends_with("-00"));
    scene.run_is(&Scene::run_of(own).await, "succeeded").await;
    for call in scene.ledger("payments").await {
        assert!(call["traceparent"].as_str().unwrap().ends_with("-00"), "{call}");
    }
    // The caller of this one records it, so its spans come, and they are all that comes.
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let order = scene.order("order_2", &[("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"))]).await;
    let run = Scene::run_of(order).await;
    scene.run_is(&run, "succeeded").await;
    scene.eventually(async || collector.has("process-commit")).await;
    assert!(collector.has(&run) && !collector.has("conv_order_1") && collector.has("conv_order_2"));
}
