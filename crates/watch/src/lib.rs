//! `watch` lets an operator see: metrics by their exact names, JSON logs with correlation ids, spans, health.
//!
//! It measures nothing by itself and asks no external system anything: the rooms that act tell it what happened.
//! It does not know HTTP, adapters or guards, and it never sees a payload.

pub mod health;
pub mod logs;
pub mod metrics;
pub mod spans;

pub use health::{Answer, Health};
pub use metrics::Metrics;
