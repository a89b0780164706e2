//! What became of spans, and an exporter that is quick to try again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use otlp::{Exporter, Loss, Patience, Protocol, Settings, Told};
use parking_lot::Mutex;
use port::{Recorder, Span, SpanKind, SystemEntropy, TraceContext};
use tokio::sync::Notify;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(crate) struct Heard {
    counts: Mutex<BTreeMap<&'static str, u64>>,
    more: Notify,
}

impl Heard {
    fn count(&self, what: &'static str, spans: u64) {
        *self.counts.lock().entry(what).or_default() += spans;
        self.more.notify_waiters();
    }

    pub(crate) fn of(&self, what: &str) -> u64 {
        self.counts.lock().get(what).copied().unwrap_or_default()
    }

    pub(crate) fn all(&self) -> u64 {
        self.counts.lock().values().sum()
    }

    /// Waits until so many spans became of this.
    pub(crate) async fn becomes(&self, what: &str, spans: u64) {
        let waiting = async {
            loop {
                let more = self.more.notified();
                if self.of(what) == spans {
                    return;
                }
                more.await;
            }
        };
        let came = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(came.is_ok(), "{spans} {what} in {:?}", self.counts.lock());
    }
}

impl Told for Heard {
    fn exported(&self, spans: u64) {
        self.count("exported", spans);
    }
    fn dropped(&self, spans: u64, why: Loss) {
        self.count(why.as_str(), spans);
    }
}

pub(crate) struct World {
    pub(crate) heard: Arc<Heard>,
    pub(crate) exporter: Exporter,
}

pub(crate) fn settings(protocol: Protocol, endpoint: &str) -> Settings {
    let mut headers = HeaderMap::new();
    headers.insert("x-scope", "tenant-1".parse().unwrap());
    Settings {
        endpoint: endpoint.parse().unwrap(),
        protocol,
        headers,
        timeout: PATIENCE,
        sample: 1.0,
        queue: 100,
        batch: 10,
        interval: Duration::from_millis(1),
        service: "cardan".to_owned(),
        version: "1.2.3",
    }
}

pub(crate) fn exporting(settings: &Settings) -> World {
    let patience = Patience { attempts: 2, first: Duration::from_millis(1), most: Duration::from_millis(2) };
    exporting_with(settings, patience)
}

pub(crate) fn exporting_with(settings: &Settings, patience: Patience) -> World {
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let heard = Arc::new(Heard::default());
    let exporter = Exporter::start(settings, patience, heard.clone(), Arc::new(SystemEntropy)).unwrap();
    World { heard, exporter }
}

impl World {
    pub(crate) fn record(&self, ids: impl IntoIterator<Item = u64>) {
        for id in ids {
            self.exporter.record(Span {
                name: format!("crm.call_{id}"),
                context: TraceContext { trace_id: 7, span_id: id, sampled: true },
                parent: None,
                kind: SpanKind::Client,
                start: "2026-11-30T08:00:00Z".parse().unwrap(),
                took: Duration::from_millis(5),
                attributes: vec![("integration.name", "crm".into())],
                error: None,
            });
        }
    }
}
