//! `otlp` exports spans to an OpenTelemetry collector, over gRPC or over HTTP with protobuf.
//!
//! A span that is over is put into a bounded queue, and whoever hands it in waits for nothing: when the queue is full, the
//! span is dropped and counted. One task takes batches from there and sends them; a collector that is down or slow is
//! tried again a bounded number of times, with growing waits. It does not know what spans mean, who makes them, or how
//! the configuration is written.
//!
//! Read in this order: [`Exporter`] (the queue), `sender.rs` (batches, in time), `insist.rs` (tried again), `encode.rs` (what is
//! sent), `transport/` (how it is sent).

mod encode;
mod exporter;
mod insist;
mod sender;
mod settings;
mod told;
mod transport;
mod voice;

pub use exporter::Exporter;
pub use insist::Patience;
pub use settings::{Protocol, Settings, Unusable};
pub use told::{Loss, Told, Unheard};
