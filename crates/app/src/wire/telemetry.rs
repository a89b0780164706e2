//! Who records spans: the log, and a collector when there is one.

use std::sync::Arc;
use std::time::Duration;

use adapters::Secrets;
use otlp::{Exporter, Loss, Patience, Settings, Told};
use port::{Entropy, Recorder};
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::ExposeSecret;
use watch::Metrics;
use watch::spans::{Both, Lines};

use crate::cli::Failure;
use crate::config::{Collector, Config, Said, Vault};

/// How long the end waits for the last spans to be taken.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who records spans.
pub(super) struct Recording {
    pub(super) recorder: Arc<dyn Recorder>,
    exporter: Option<Arc<Exporter>>,
}

impl Recording {
    /// Begins; nothing is connected before the first span.
    pub(super) fn start(
        config: &Config,
        vault: &Vault,
        metrics: Arc<Metrics>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Failure> {
        let Some(collector) = &config.telemetry else {
            return Ok(Self { recorder: Arc::new(Lines), exporter: None });
        };
        let settings = settings(collector, vault)?;
        let exporter = Exporter::start(&settings, Patience::default(), Arc::new(Counted(metrics)), entropy);
        let exporter = exporter.map_err(|error| Failure::new(format!("opening telemetry.otlp: {error}")))?;
        let exporter = Arc::new(exporter);
        Ok(Self { recorder: Arc::new(Both(Lines, exporter.clone())), exporter: Some(exporter) })
    }

    /// Sends what is left, for a while.
    pub(super) async fn close(self) {
        if let Some(exporter) = self.exporter {
            exporter.close(PATIENCE).await;
        }
    }
}

fn settings(collector: &Collector, vault: &Vault) -> Result<Settings, Failure> {
    let mut headers = HeaderMap::new();
    for (name, said) in &collector.headers {
        headers.insert(name.clone(), value(said, vault)?);
    }
    Ok(Settings {
        endpoint: collector.endpoint.clone(),
        protocol: collector.protocol,
        headers,
        timeout: collector.timeout,
        sample: collector.sample,
        queue: collector.queue,
        batch: collector.batch,
        interval: collector.interval,
        service: collector.service.clone(),
        version: env!("CARGO_PKG_VERSION"),
    })
}

fn value(said: &Said, vault: &Vault) -> Result<HeaderValue, Failure> {
    let name = match said {
        Said::Open(value) => return Ok(value.clone()),
        Said::Secret(name) => name,
    };
    let secret = vault.get(name).ok_or_else(|| Failure::new(format!("secret {name:?} is not declared")))?;
    let mut value = HeaderValue::from_str(secret.expose_secret()).map_err(|_| {
        Failure::new(format!("opening telemetry.otlp: secret {name:?} cannot be sent in a header"))
    })?;
    value.set_sensitive(true);
    Ok(value)
}

struct Counted(Arc<Metrics>);

impl Told for Counted {
    fn exported(&self, spans: u64) {
        self.0.spans_exported(spans);
    }

    fn dropped(&self, spans: u64, why: Loss) {
        self.0.spans_dropped(why.as_str(), spans);
    }
}
