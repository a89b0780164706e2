//! Writes the scrape in OpenMetrics text or in Prometheus text 0.0.4. Series have the same names in both.

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

/// How a scrape is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text exposition format 0.0.4: what every scraper reads.
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// OpenMetrics for those who ask for it, Prometheus text for everyone else.
    pub fn accepted(accept: Option<&str>) -> Self {
        match accept {
            Some(accept) if accept.contains("application/openmetrics-text") => Format::OpenMetrics,
            _ => Format::Prometheus,
        }
    }
}

pub(super) fn render(registry: &Registry, format: Format) -> (&'static str, String) {
    let mut text = String::new();
    let written = encode(&mut text, registry);
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
    match format {
        Format::OpenMetrics => ("application/openmetrics-text; version=1.0.0; charset=utf-8", text),
        Format::Prometheus => ("text/plain; version=0.0.4; charset=utf-8", classic(&text)),
    }
}

/// OpenMetrics names a counter's family without `_total`; the older format names it as its samples.
fn classic(open: &str) -> String {
    let mut text = String::with_capacity(open.len());
    let mut help = None;
    for line in open.lines().filter(|line| *line != "# EOF") {
        if line.starts_with("# HELP ") {
            help = Some(line);
            continue;
        }
        let counted = line.strip_prefix("# TYPE ").and_then(|rest| rest.strip_suffix(" counter"));
        if let Some(help) = help.take() {
            push(&mut text, &counted.map_or(help.to_owned(), |name| suffixed(help, name)));
        }
        push(&mut text, &counted.map_or(line.to_owned(), |name| suffixed(line, name)));
    }
    text
}

fn suffixed(line: &str, name: &str) -> String {
    line.replacen(name, &format!("{name}_total"), 1)
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}
